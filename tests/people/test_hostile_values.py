"""No value in any address or parameter breaks a page: the parameters are those that the views ask for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import quote
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db import connections
from django.http import QueryDict
from django.test import Client

from connections_app.models import (
    BulkTagging,
    CallRequest,
    Connection,
    Contact,
    ContactImport,
    Export,
    Note,
    Operator,
    SavedView,
    Tag,
)
from connections_app.people.roles import make_administrator
from tests.factories import seen
from tests.people.test_access import HOOKS, PARAMETER, REQUEST_ID, STANDS_FOR, addresses, routes

pytestmark = pytest.mark.django_db

# NUL, a line's end, a long text; and what is no character, what turns directions, and odd cases and numbers.
ALONE = ["a\x00b", "\r\nX-Evil: 1", "x" * 5_000]
TOGETHER = ["\x00", "\n", "\udfff", "\uffff", "\u202eé", "İ", "9" * 40, "-1"]
HOSTILE = [*ALONE, *TOGETHER]
# Answers with a file, which nobody here reads to its end.
FILES = {"/calls/export/", "/contacts/export/"}
NAMES_ASKED_BY = ("get", "getlist", "__getitem__", "__contains__")


@pytest.fixture
def root(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Client:
    """An administrator's browser, and one of everything that has an address; Sift cannot be reached."""
    settings.SIFT_API_URL = "http://127.0.0.1:9/v0"
    monkeypatch.setattr(connections["default"], "close", lambda: None)  # would end the test's transaction
    operator = Operator(username="root")
    make_administrator(operator)
    seen({"connection_id": "a1", "status": "connected", "to": "+14155550142"})
    by = {"operator": operator, "operator_name": "root"}
    tag = Tag.objects.create(pk=1, name="Refund", made_by="root")
    call = Connection.objects.get()
    Note.objects.create(pk=1, connection=call, author=operator, author_name="root", text="Hello")
    Contact.objects.create(pk=1, endpoint="+14155550142", name="Ana", changed_by="root")
    SavedView.objects.create(name="Mine", query="q=1", owner=operator, code="abc")
    BulkTagging.objects.create(pk=1, tag=tag, adds=True, counted=1, query="", **by)
    Export.objects.create(
        pk=1, owner=operator, format="csv", query="", columns=[], time_zone="UTC", name="c", counted=1
    )
    ContactImport.objects.create(
        pk=REQUEST_ID, owner=operator, file_name="a.csv", lines=[], bad=[], ignored=[]
    )
    CallRequest.objects.create(
        request_id=UUID(REQUEST_ID),
        digest="0",
        contents={},
        phone_number="+14155550142",
        deadline=call.first_seen_at,
        outcome="unknown",
        **by,
    )
    with connections["default"].cursor() as cursor:
        for model in (Tag, Note, Contact, BulkTagging, Export):
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), 9)", [model._meta.db_table])
    browser = Client(raise_request_exception=False)
    browser.force_login(operator)
    return browser


@contextmanager
def names_asked_for() -> Iterator[set[str]]:
    """The names that views look for in a query string or form while the block runs."""
    names: set[str] = set()

    def noting(method: Callable[..., Any]) -> Callable[..., Any]:
        def note(given: QueryDict, name: Any, *rest: Any) -> Any:
            names.add(str(name))
            return method(given, name, *rest)

        return note

    patches = [patch.object(QueryDict, name, noting(getattr(QueryDict, name))) for name in NAMES_ASKED_BY]
    for one in patches:
        one.start()
    try:
        yield names
    finally:
        for one in patches:
            one.stop()


def ways(browser: Client, address: str) -> dict[str, Callable[[dict[str, str]], Any]]:
    """How an address can be asked, with values: by its query string, and by a form."""
    return {
        "GET": lambda given: browser.get(address, given),
        "POST": lambda given: browser.post(address, given),
    }


def sendable(value: str) -> str:
    """`value` as it arrives from a browser that sends what it was given, lone surrogates too."""
    return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


@pytest.mark.parametrize("address", sorted({*addresses(), "/admin/login/"} - {"/accounts/logout/"} - FILES))
def test_no_value_of_a_parameter_breaks_a_page(root: Client, address: str) -> None:
    broken = []
    for way, ask in ways(root, address).items():
        with names_asked_for() as asked_for:
            ask({})
        names = sorted(asked_for - {"csrfmiddlewaretoken"})
        given = [{name: value} for name in names for value in ALONE]
        given += [dict.fromkeys(names, sendable(value)) for value in TOGETHER]
        for values in given:
            answer = ask(values)
            if answer.status_code >= 500:
                broken.append(f"{way} {str(values)[:80]}: {answer.status_code}")
    assert broken == []


@pytest.mark.parametrize("route", [route for route in routes() if PARAMETER.search(route)])
def test_no_value_in_a_path_breaks_a_page(root: Client, route: str) -> None:
    broken = []
    names = PARAMETER.findall(route)
    for hostile in HOSTILE:
        for name in names:
            given = STANDS_FOR | {name: quote(hostile.encode("utf-8", "surrogatepass"), safe="")}
            address = "/" + PARAMETER.sub(lambda one: given[one[1]], route)  # noqa: B023
            for way, ask in ways(root, address).items():
                answer = ask({})
                if answer.status_code >= 500:
                    broken.append(f"{way} {address[:60]}: {answer.status_code}")
    assert broken == []


@pytest.mark.parametrize("address", sorted({*addresses()} - HOOKS))
def test_no_address_is_a_dead_end(root: Client, address: str) -> None:
    """That of a button, which takes POST alone, leads to the page that it is on."""
    answer: Any = root.get(address)
    while 300 <= answer.status_code < 400:
        answer = root.get(answer["Location"])
    assert answer.status_code in (200, 404)
