"""The pages of the library: what they tell, to whom, at what cost, and that nothing hostile breaks them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from connections_app.models import InboundRule, Operator, Role, Routine, RoutineVersion, UsedBy
from tests.factories import FRAME
from tests.routines.conftest import HELLO, MakeRoutine
from tests.routines.test_in_step import controls

pytestmark = pytest.mark.django_db

BYE = [{"name": "HangUp"}]
Queries = Callable[..., Any]


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def reader(client: Client, make_operator: Callable[..., Operator]) -> Client:
    client.force_login(make_operator("vic", Role.VIEWER))
    return client


def test_the_list_shows_what_each_does_and_who_changed_it(reader: Client, make_routine: MakeRoutine) -> None:
    make_routine(description="For all who call", used_by=UsedBy.SUPERVISORS)
    page = text(reader, "/routines/")
    for words in ("Greeting", "For all who call", "Says “Hello”, then hangs up.", "Supervisors only", "sam"):
        assert words in page


def test_a_draft_that_differs_is_marked(reader: Client, make_routine: MakeRoutine) -> None:
    make_routine("Published")
    assert "Draft</span>" not in text(reader, "/routines/")
    make_routine("Changed", draft=json.dumps(BYE))
    assert "Draft</span>" in text(reader, "/routines/")


def test_one_that_was_never_published_says_so(reader: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine(publish=False)
    assert "Not published" in text(reader, "/routines/")
    assert "calls cannot use it" in text(reader, f"/routines/{routine.pk}/")


def test_an_empty_library_says_what_to_do(reader: Client, writer: Client) -> None:
    InboundRule.objects.all().delete()
    Routine.objects.update(published=None)
    RoutineVersion.objects.all().delete()
    Routine.objects.all().delete()
    assert "No routines yet" in text(writer, "/routines/")
    assert "Nothing is archived" in text(writer, "/routines/?archived=1")


def test_a_person_who_may_write_is_offered_it(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine(draft="[]")
    page = text(writer, f"/routines/{routine.pk}/")
    for words in (f"/routines/{routine.pk}/edit/", "Archive</button>", "go on writing"):
        assert words in page


def test_only_who_may_write_is_offered_it(reader: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine(draft="[]")
    for address in ("/routines/", f"/routines/{routine.pk}/"):
        page = text(reader, address)
        for words in ("New routine", "/edit/", "Archive</button>", "Bring back", "go on writing"):
            assert words not in page


def test_one_page_shows_all_of_it(writer: Client, make_routine: MakeRoutine) -> None:
    menu = make_routine(
        "Menu", [{"name": "Say", "text": "Hello {{ customer }}"}, {"name": "GetDigits", "count": 2}]
    )
    page = text(writer, f"/routines/{menu.pk}/")
    for words in (
        "Says “Hello {customer}”",
        "Asks for 2 digits",
        "<code>customer</code>",
        "First",
        "Version 1",
    ):
        assert words in page
    assert "&quot;count&quot;: 2" in page


def test_it_shows_what_uses_it(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    make_routine("Menu", [{"name": "GetDigits", "count": 1, "then": {"1": routine.pk}}])
    page = text(writer, f"/routines/{routine.pk}/")
    assert "Menu</a> goes on with it" in page
    goodbye = Routine.objects.get(name="Thank you and goodbye")
    assert "Inbound rule “Every other call”" in text(writer, f"/routines/{goodbye.pk}/")


def test_a_long_text_is_shown_whole(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine(commands=[{"name": "Say", "text": "word " * 50 + "end"}])
    assert "word end</span>" in text(writer, f"/routines/{routine.pk}/")


def test_two_versions_are_compared_in_signs_and_words(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    routine.versions.create(number=2, commands=[{"name": "Say", "text": "Good day"}, *BYE], author="sam")
    page = text(writer, f"/routines/{routine.pk}/compare/?from=1&to=2")
    assert 'removed: </span><span class="line-text">    &quot;text&quot;: &quot;Hello&quot;' in page
    assert 'added: </span><span class="line-text">    &quot;text&quot;: &quot;Good day&quot;' in page
    assert "Says “Good day”, then hangs up." in page


def test_a_draft_is_compared_too(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine(draft=json.dumps(BYE))
    page = text(writer, f"/routines/{routine.pk}/compare/?from=1&to=draft")
    assert "from version 1 to the draft" in page
    assert "removed: " in page


@pytest.mark.parametrize("key", ["3", "draft", "x", "-1", "1" * 30, "²", "\x00"])
def test_what_is_no_version_is_not_compared(writer: Client, make_routine: MakeRoutine, key: str) -> None:
    routine = make_routine()
    assert writer.get(f"/routines/{routine.pk}/compare/", {"from": "1", "to": key}).status_code == 404


def test_the_schema_is_served(reader: Client) -> None:
    schema = reader.get("/routines/schema.json").json()
    assert schema["title"] == "Routine"
    assert "Say" in schema["$defs"]


@pytest.mark.parametrize("pk", [0, 999_999, 2**63, 10**30])
def test_what_is_not_there_is_not_found(writer: Client, pk: int) -> None:
    for address in ("", "edit/", "compare/"):
        assert writer.get(f"/routines/{pk}/{address}").status_code == 404
    for button in ("archive", "bring-back"):
        assert writer.post(f"/routines/{pk}/{button}/", {"revision": 1}).status_code == 404


def test_the_list_costs_the_same_however_long(
    writer: Client, make_routine: MakeRoutine, django_assert_num_queries: Queries
) -> None:
    for number in range(5):
        make_routine(f"Greeting {number}")
    with django_assert_num_queries(FRAME + 2):
        writer.get("/routines/")


def test_one_page_costs_the_same_however_many_versions(
    writer: Client, make_routine: MakeRoutine, django_assert_num_queries: Queries
) -> None:
    routine = make_routine(draft="[]")
    for number in range(2, 9):
        routine.versions.create(number=number, commands=BYE, author="sam")
    with django_assert_num_queries(FRAME + 5):
        writer.get(f"/routines/{routine.pk}/")
    with django_assert_num_queries(FRAME + 5):
        writer.get(f"/routines/{routine.pk}/compare/?from=1&to=2")


def test_the_editor_costs_the_same_however_long(
    writer: Client, make_routine: MakeRoutine, django_assert_num_queries: Queries
) -> None:
    other = make_routine("Other").pk
    asks = {"name": "GetDigits", "count": 1, "then": {"1": other}}
    routine = make_routine(commands=[asks] * 20)
    address = f"/routines/{routine.pk}/edit/"
    with django_assert_num_queries(FRAME + 2):
        sent = controls(writer.get(address))
    with django_assert_num_queries(FRAME + 2):
        writer.post(address, sent | {"c0-count": "5"}, headers={"HX-Request": "true"})


HOSTILE = {
    "a NUL in the name": {"name": "a\x00b"},
    "no name": {"name": "  "},
    "a long name": {"name": "x" * 101},
    "a long description": {"description": "x" * 301},
    "somebody else": {"used_by": "everyone"},
    "a revision that is none": {"revision": "\x00"},
    "a huge revision": {"revision": "9" * 50},
    "no JSON": {"json": "[{"},
    "nothing": {"json": ""},
    "a NUL in the JSON": {"json": '[{"name": "Say", "text": "\x00"}]'},
    "a raw control character": {"json": '[{"name": "Say", "text": "\x07"}]'},
    "a megabyte": {"json": json.dumps([{"name": "Say", "text": "x" * 2**20}])},
    "deep lists": {"json": "[" * 5_000 + "]" * 5_000},
    "deeper lists": {"json": "[" * 30_000 + "]" * 30_000},
    "deep objects": {"json": '[{"name": "x", "y": ' + '{"a":' * 3_000 + "1" + "}" * 3_000 + "}]"},
    "no list": {"json": "{}"},
    "a number": {"json": "1"},
    "too many commands": {"json": json.dumps(BYE * 101)},
    "NaN": {"json": '[{"name": "x", "y": NaN}]'},
    "a number without end": {"json": '[{"name": "x", "y": 1e999}]'},
    "a number of many digits": {"json": '[{"name": "x", "y": ' + "9" * 5_000 + "}]"},
}


@pytest.mark.parametrize("fields", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("do", ["save", "publish"])
def test_what_cannot_be_kept_is_said_and_shown_as_typed(
    writer: Client, make_routine: MakeRoutine, fields: dict[str, str], do: str
) -> None:
    routine = make_routine()
    typed = {"name": "N", "used_by": "operators", "revision": routine.revision, "json": json.dumps(HELLO)}
    typed |= {"do": do, "note": "Why"} | fields
    for address in ("/routines/new/", f"/routines/{routine.pk}/edit/"):
        answer = writer.post(address, typed)
        assert answer.status_code == 422
        if fields.get("json"):
            assert controls(answer)["json"].replace("\r\n", "\n").replace("\ufffd", "\x00") == fields["json"]
    left = Routine.objects.get(pk=routine.pk)
    assert (left.name, left.draft, left.revision) == (routine.name, routine.draft, routine.revision)


@pytest.mark.parametrize(
    "commands",
    [
        [{"name": "Say", "text": "\ud800"}],
        [{"name": "Say", "text": "\x00"}],
        [{"name": "\x00\ud800"}],
        [{"na\x00me": "\ud800"}],
        [{"name": "Say", "text": "</textarea><script>alert(1)</script>", "loud": True}],
        [None, 1, "x", [[]], {}, {"name": []}],
        [{"name": "GetDigits", "then": {"\x00": "x", "\ud800": None}}],
        [{"name": "JoinConference", "live_scan": [{"key": 1}, None, {"key": "\ud800", "x": "y"}]}],
        [{"name": "x", "y": {"\ud800": "\ud800"}}],
    ],
)
def test_a_draft_may_hold_anything_that_json_can(
    writer: Client, make_routine: MakeRoutine, commands: Any
) -> None:
    routine = make_routine()
    address = f"/routines/{routine.pk}/edit/"
    typed = {"name": "N", "used_by": "operators", "revision": routine.revision, "json": json.dumps(commands)}
    assert writer.post(address, typed | {"do": "publish", "note": "Why"}).status_code == 422
    assert writer.post(address, typed | {"do": "save"}).status_code == 302
    assert "<script>alert" not in text(writer, address)
    assert json.loads(Routine.objects.get(pk=routine.pk).draft) == commands
    for page in (
        "/routines/",
        f"/routines/{routine.pk}/",
        f"/routines/{routine.pk}/compare/?from=1&to=draft",
    ):
        text(writer, page)
    sent = controls(writer.get(address)) | {"do": "remove:1"}
    assert writer.post(address, sent).status_code == 200


@pytest.mark.parametrize("do", ["", "x", "up:", "up:\x00", "row:1:\x00", "add:\x00", "remove:99", "keep"])
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_no_button_breaks_it(writer: Client, do: str, headers: dict[str, str]) -> None:
    sent = {"c0-kind": "\x00", "c1-kind": "Say", "c1-text": "\x00", "c0": "x", "c-": "y", "cx-kind": "z"}
    for more in ({}, {"keep": do}, {"agreed_forms": "x"}, {"agreed_forms": "x", "keep": "forms"}):
        answer = writer.post("/routines/new/", sent | more | {"do": do, "json": "[{"}, headers=headers)
        assert answer.status_code == 200


def test_the_largest_routine_can_be_written(writer: Client, make_routine: MakeRoutine) -> None:
    """A hundred commands, with as many lines as the JSON may have."""
    then = {str(number): 1 for number in range(50)}
    routine = make_routine(commands=[{"name": "GetDate", "then": then}] * 100)
    address = f"/routines/{routine.pk}/edit/"
    sent = controls(writer.get(address))
    assert len(sent) > 10_000
    answer = writer.post(address, sent | {"c99-prompt": "When?"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
