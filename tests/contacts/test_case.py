"""An endpoint is the same in whatever case it is written, as the database says, wherever it is compared."""

from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connections_app.access.permissions import may_steer
from connections_app.calls.contact_lookup import contact_of, contacts_of, names_of
from connections_app.contacts.changes import announce_calls_with
from connections_app.models import Connection, Contact, Operator, Role
from connections_app.models.case_folding import keyed
from tests.contacts.conftest import MakeOperator, made
from tests.contacts.test_importing import carry_out, dry_run
from tests.factories import seen

pytestmark = pytest.mark.django_db

# What Python and PostgreSQL make lower case differently, and the same name as somebody else writes it.
WRITTEN = [
    ("webrtc:ΜΑΡΙΟΣ", "webrtc:μαριοσ"),
    ("webrtc:ΜΑΡΙΟΣ", "WebRTC:ΜΑΡΙΟΣ"),
    ("webrtc:İbrahim", "webrtc:İBRAHIM"),
    ("webrtc:STRAẞE", "webrtc:straße"),
    ("webrtc:\u212aelvin", "webrtc:KELVIN"),
    ("webrtc:ǅ", "webrtc:ǆ"),
]
CASED = """
    SELECT chr(code) FROM generate_series(1, 1114111) AS code
    WHERE code NOT BETWEEN 55296 AND 57343
        AND (chr(code) <> lower(chr(code)) OR chr(code) <> upper(chr(code)))
"""


def cased() -> set[str]:
    """Every character that the database or Python knows in another case."""
    with database.cursor() as cursor:
        cursor.execute(CASED)
        by_database = {character for (character,) in cursor.fetchall()}
    characters = (chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000)
    return by_database | {one for one in characters if one.lower() != one or one.upper() != one}


def page(client: Client, address: str) -> str:
    """What is at `address`."""
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def found(client: Client, address: str) -> list[str]:
    """The ids of the calls in the list at `address`."""
    return [row.call.connection_id for row in client.get(address).context["rows"]]


def in_progress(endpoint: str, **fields: Any) -> Connection:
    call = {"connection_id": "c1", "status": "connected", "direction": "incoming"}
    seen(call | {"to": endpoint, "from": "+14155550100"} | fields)
    return Connection.objects.get(connection_id="c1")


def test_every_character_is_compared_by_the_database_alone() -> None:
    endpoints = [f"webrtc:{character}x" for character in sorted(cased())]
    keys = keyed(endpoints)
    first = {key: endpoint for endpoint, key in keys.items()}
    Contact.objects.bulk_create(
        Contact(endpoint=one, name=key, changed_by="ben") for key, one in first.items()
    )
    assert len(endpoints) > 2_000
    assert {endpoint: named.name for endpoint, named in names_of(endpoints).items()} == keys
    assert {endpoint: contact.name for endpoint, contact in contacts_of(endpoints).items()} == keys


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_name_of_a_client_is_found_again(name: str) -> None:
    Contact.objects.filter(endpoint__startswith="webrtc:").delete()
    made("Found", f"webrtc:{name}")
    (key,) = keyed([f"webrtc:{name}"]).values()
    asked = [f"webrtc:{name}", f"WEBRTC:{name}", key]
    expected = {one for one in asked if keyed([one])[one] == key}
    assert set(names_of(asked)) == set(contacts_of(asked)) == expected
    assert contact_of(f"webrtc:{name}")


@pytest.mark.parametrize(("contact", "endpoint"), WRITTEN)
def test_a_call_has_the_name_and_the_mark_of_its_contact(olga: Client, contact: str, endpoint: str) -> None:
    made("Mario Rossi", contact, do_not_call=True)
    in_progress(endpoint)
    for address in ("/", "/calls/", "/calls/c1/", "/calls/search/?q=mario"):
        assert "Rossi" in page(olga, address), address
    for address in ("/", "/calls/", "/calls/c1/"):
        assert "do not call" in page(olga, address).lower(), address


@pytest.mark.parametrize(("contact", "endpoint"), WRITTEN)
def test_calls_are_found_by_the_name_of_their_client(olga: Client, contact: str, endpoint: str) -> None:
    made("Mario Rossi", contact)
    in_progress(endpoint)
    assert found(olga, "/calls/?q=mario rossi") == ["c1"]


def test_a_name_too_short_to_search_is_found_whole_in_any_case(olga: Client) -> None:
    made("ΟΣ", "webrtc:x1y2z3")
    in_progress("webrtc:x1y2z3")
    assert found(olga, "/calls/?q=ΟΣ") == ["c1"]


def test_a_file_with_a_client_that_is_known_in_another_case_changes_its_contact(sam: Client) -> None:
    made("Old", "webrtc:ΜΑΡΙΟΣ")
    shown = dry_run(sam, "client,name,do_not_call\nμαριοσ,Mario,yes\n")
    assert carry_out(sam, shown).status_code == 303
    (contact,) = Contact.objects.all()
    assert (contact.endpoint, contact.name, contact.do_not_call) == ("webrtc:ΜΑΡΙΟΣ", "Mario", True)


@pytest.mark.parametrize("name", ["ΜΑΡΙΟΣ", "İbrahim", "STRAẞE", "\u212aelvin", "ǅ", "ΣΑΣ ΣΑΣ"])
def test_a_file_with_any_client_is_imported(sam: Client, name: str) -> None:
    shown = dry_run(sam, f"client,name,do_not_call\n{name},Mario,yes\n")
    assert carry_out(sam, shown).status_code == 303
    assert Contact.objects.get().endpoint == f"webrtc:{name}"
    assert carry_out(sam, dry_run(sam, f"client,name\n{name},Mario\n")).status_code == 303
    assert Contact.objects.get().revision == 1


def test_lines_of_one_client_are_merged_in_whatever_case(sam: Client) -> None:
    shown = dry_run(sam, "client,name\nΜΑΡΙΟΣ,Mario\nμαριοσ,\nĐuro,Duro\nđURO,\n")
    assert carry_out(sam, shown).status_code == 303
    assert set(Contact.objects.values_list("endpoint", flat=True)) == {"webrtc:ΜΑΡΙΟΣ", "webrtc:Đuro"}


@pytest.mark.parametrize(("own", "endpoint"), WRITTEN)
def test_a_call_with_ones_own_client_is_ones_own(
    client: Client, make_operator: MakeOperator, own: str, endpoint: str
) -> None:
    ana = make_operator("ana", Role.OPERATOR, client_name=own.removeprefix("webrtc:"))
    ben = make_operator("ben", Role.OPERATOR, client_name="ben")
    call = in_progress(endpoint)
    client.force_login(ana)
    (row,) = client.get("/").context["rows"]
    assert (row.is_mine, row.may_steer, row.state.on_the_line) == (True, True, (ana.pk,))
    assert call.operator == ana
    assert may_steer(ana, call)
    assert not may_steer(ben, call)


def test_both_people_on_a_call_are_on_the_line(make_operator: MakeOperator, client: Client) -> None:
    people = [make_operator(name, Role.OPERATOR, client_name=name) for name in ("ana", "ben")]
    call = in_progress("webrtc:ANA", **{"from": "webrtc:Ben"})
    for one in people:
        client.force_login(one)
        (row,) = client.get("/").context["rows"]
        assert row.is_mine
        assert may_steer(one, call)
    assert row.state.on_the_line == tuple(sorted(one.pk for one in people))


def test_nobody_is_on_a_call_whose_number_reads_as_their_client(make_operator: MakeOperator) -> None:
    ana = make_operator("ana", Role.OPERATOR, client_name="+14155550142")
    assert not may_steer(ana, in_progress("+14155550142"))


@pytest.mark.parametrize(("contact", "endpoint"), WRITTEN)
def test_a_change_of_a_contact_announces_its_calls(
    monkeypatch: pytest.MonkeyPatch, contact: str, endpoint: str
) -> None:
    call = in_progress(endpoint)
    announced: list[int] = []
    monkeypatch.setattr("connections_app.contacts.changes.announce", announced.extend)
    announce_calls_with([contact])
    announce_calls_with(["webrtc:other"])
    assert announced == [call.pk]


def test_a_marked_contact_keeps_its_mark_in_another_case(olga: Client, operator: Operator) -> None:
    contact = made("Mario", "webrtc:ΜΑΡΙΟΣ", do_not_call=True)
    form = {"endpoint": "webrtc:μαριοσ", "name": "Mario", "do_not_call": "on", "revision": 1}
    assert olga.post(f"/contacts/{contact.pk}/", form).status_code == 303
    form |= {"endpoint": "webrtc:maria", "revision": 2}
    assert olga.post(f"/contacts/{contact.pk}/", form).status_code == 403
