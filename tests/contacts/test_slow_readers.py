"""Readers of an export who stop reading keep nobody from the pages, and one person has only a few at once."""

import http.client
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import urlencode, urlsplit

import pytest

from connections_app.models import Contact, Operator, Role
from connections_app.web.concurrency import MAX_CONCURRENT_PER_PERSON
from tests.control.conftest import Dashboard, Person, account, at, running_dashboard
from tests.live.conftest import NOBODY

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

PAGE_CONNECTIONS = 12  # of one web process
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


@pytest.fixture
def dashboard() -> Iterator[Dashboard]:
    with running_dashboard(account(NOBODY)) as dashboard:
        yield dashboard


@pytest.fixture
def many_contacts(db: None) -> None:
    """Several times as much as the sockets between a reader and the web process hold."""
    Contact.objects.bulk_create(
        [Contact(endpoint=f"+1415{n:07}", name=f"n{n}", notes="x" * 1500) for n in range(10_000)]
    )


def begin_to_read(person: Person, open_ones: ExitStack) -> int:
    """Ask for the export, read its first line, and then nothing more; returns the status of the answer."""
    token = CSRF.search(person.read("/contacts/import/").text)
    assert token is not None
    cookies = "; ".join(f"{name}={value}" for name, value in person.session.cookies.items())
    connection = http.client.HTTPConnection(urlsplit(person.dashboard.address).netloc, timeout=20)
    open_ones.callback(connection.close)
    headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode({"csrfmiddlewaretoken": token[1]})
    connection.request("POST", "/contacts/export/", body, headers)
    answer = connection.getresponse()
    open_ones.callback(answer.close)
    if answer.status == 200:
        answer.readline()
    return answer.status


def test_readers_who_stop_reading_hold_no_connection(
    dashboard: Dashboard, many_contacts: None, make_operator: Callable[..., Operator]
) -> None:
    people = [at(dashboard, make_operator(f"sam{n}", Role.SUPERVISOR)) for n in range(6)]
    with ExitStack() as open_ones:
        began = [
            begin_to_read(people[n // MAX_CONCURRENT_PER_PERSON], open_ones)
            for n in range(PAGE_CONNECTIONS + MAX_CONCURRENT_PER_PERSON)
        ]
        assert set(began) == {200}
        assert begin_to_read(people[0], open_ones) == 503
        assert people[5].read("/contacts/").status_code == 200
        assert people[5].read("/readyz").status_code == 200
