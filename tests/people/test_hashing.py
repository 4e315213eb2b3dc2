"""Passwords are hashed by Argon2id, two at a time, and without a database connection."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import LazySettings
from django.contrib.auth.hashers import make_password
from django.db import connection as database
from django.test import Client

from connections_app.models import Operator, Role
from connections_app.people import hashing
from tests.conftest import alone, wait_until

pytestmark = pytest.mark.django_db

HASHERS = ["connections_app.people.hashing.Argon2Hasher", "connections_app.people.hashing.PBKDF2Hasher"]
PASSWORD = "correct horse"


@pytest.fixture
def argon2(settings: LazySettings) -> None:
    """The hashers as in production; cheap ones."""
    settings.PASSWORD_HASHERS = HASHERS


@pytest.fixture
def no_turns() -> Iterator[None]:
    """Somebody else hashes all the while, and nobody has patience."""
    with ExitStack() as turns, patch.object(hashing, "WAIT_SECONDS", 0.01):
        for _ in range(hashing.MAX_CONCURRENT):
            assert hashing._turns.acquire()
            turns.callback(hashing._turns.release)
        yield


def sign_in(client: Client, name: str = "ana", password: str = PASSWORD) -> int:
    form = {"username": name, "password": password, "next": "/calls/"}
    return client.post("/accounts/login/", form).status_code


def test_an_older_hash_is_replaced_when_its_person_signs_in(
    client: Client, make_operator: Callable[..., Operator], settings: LazySettings
) -> None:
    operator = make_operator()
    assert operator.password.startswith("pbkdf2_sha256$")
    settings.PASSWORD_HASHERS = HASHERS
    assert sign_in(client) == 302
    operator.refresh_from_db()
    assert operator.password.startswith("argon2$argon2id$")
    assert sign_in(Client()) == 302


@pytest.mark.parametrize("name", ["ana", "nobody"])
def test_a_sign_in_that_waits_too_long_is_refused_with_what_was_typed(
    argon2: None,
    make_operator: Callable[..., Operator],
    client: Client,
    name: str,
    request: Any,
) -> None:
    make_operator()
    request.getfixturevalue("no_turns")
    answer = client.post("/accounts/login/", {"username": name, "password": PASSWORD, "next": "/calls/"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    page = answer.content.decode()
    assert hashing.BUSY_MESSAGE in page
    assert f'value="{name}"' in page
    assert 'value="/calls/"' in page


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_are_hashed_at_once_and_none_holds_a_connection(
    argon2: None, make_operator: Callable[..., Operator]
) -> None:
    make_operator()
    both = Barrier(hashing.MAX_CONCURRENT)
    held: list[bool] = []
    verify = hashing.Argon2PasswordHasher.verify

    def slow(hasher: hashing.Argon2Hasher, password: str, encoded: str) -> bool:
        held.append(database.connection is not None)
        both.wait(10)  # for the other one: one at a time would never come so far
        return verify(hasher, password, encoded)

    with patch.object(hashing.Argon2PasswordHasher, "verify", slow), ThreadPoolExecutor(4) as threads:
        assert list(threads.map(alone(lambda _: sign_in(Client())), range(4))) == [302] * 4
    assert held == [False] * 4
    wait_until(lambda: hashing._turns._value == hashing.MAX_CONCURRENT)  # type: ignore[attr-defined]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_an_administrator_who_adds_or_changes_a_person_holds_no_connection_either(
    argon2: None, make_operator: Callable[..., Operator], client: Client
) -> None:
    client.force_login(make_operator("root", Role.ADMINISTRATOR, is_staff=True, is_superuser=True))
    held: list[bool] = []
    encode = hashing.Argon2PasswordHasher.encode

    def watched(hasher: hashing.Argon2Hasher, password: str, salt: str) -> str:
        held.append(database.connection is not None)
        return encode(hasher, password, salt)

    form = {"username": "bob", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    with patch.object(hashing.Argon2PasswordHasher, "encode", watched):
        assert client.post("/admin/connections_app/operator/add/", form).status_code == 302
        bob = Operator.objects.get(username="bob")
        changed = {"usable_password": "true", "password1": "battery staple", "password2": "battery staple"}
        address = f"/admin/connections_app/operator/{bob.pk}/password/"
        assert client.post(address, changed).status_code == 302
    assert held == [False, False]
    bob.refresh_from_db()
    assert bob.check_password("battery staple")


def test_other_pages_that_must_hash_say_that_they_are_busy(
    argon2: None, make_operator: Callable[..., Operator], client: Client, request: Any
) -> None:
    client.force_login(make_operator("root", Role.ADMINISTRATOR, is_staff=True, is_superuser=True))
    request.getfixturevalue("no_turns")
    form = {"username": "bob", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    answer = client.post("/admin/connections_app/operator/add/", form)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert not Operator.objects.filter(username="bob").exists()


def test_hashes_are_argon2id_with_the_parameters_that_owasp_recommends(argon2: None) -> None:
    assert make_password("x").startswith("argon2$argon2id$v=19$m=")
    assert (hashing.MAX_CONCURRENT, hashing.Argon2Hasher.parallelism) == (2, 1)
