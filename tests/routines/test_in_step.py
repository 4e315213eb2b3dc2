"""The forms and the JSON beside them say the same: whichever is changed, the other follows, and nothing that
was typed is lost."""

import json
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from connections_app.routines.cards import cards_of, commands_of
from connections_app.routines.controls import view
from connections_app.routines.editing import Side, apply_action, open_editor, read_editor
from connections_app.sift.routine import MOST_COMMANDS, written
from tests.routines.conftest import HELLO, MakeRoutine
from tests.sift.routines_made import any_json, valid_routines

ASKS = {"name": "GetDigits", "count": 4, "timeout_seconds": 8, "then": {"1": 7, "any": 8, "": 9}}
JOINS = {
    "name": "JoinConference",
    "conference_name": "room",
    "do_record": True,
    "live_scan": [{"key": "a", "query": "refund"}, {"key": "b", "query": "cancel"}],
    "processors": ["transcribe", "grade"],
}


class Controls(HTMLParser):
    """The controls of a page's form, as a browser without scripts would send them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self.area = self.select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        name = given.get("name") or ""
        if tag == "input" and given.get("type") not in ("checkbox", "search") and name:
            self.sent[name] = given.get("value") or ""
        elif tag == "textarea":
            self.area, self.sent[name] = name, ""
        elif tag == "select":
            self.select, self.sent[name] = name, ""
        elif tag == "option" and "selected" in given:
            self.sent[self.select] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.sent[self.area] = self.sent[self.area].removeprefix("\n").replace("\n", "\r\n")
            self.area = ""

    def handle_data(self, text: str) -> None:
        if self.area:
            self.sent[self.area] += text


def controls(page: Any) -> dict[str, str]:
    return Controls(page.content.decode()).sent


def sent_by(text: str) -> dict[str, str]:
    """What the editor sends when it was opened on `text` and nothing was changed."""
    editor = open_editor(text)
    forms = {
        f"c{index}-{name}": value
        for index, card in enumerate(editor.cards)
        for name, value in {"kind": card.kind, "others": card.others, **card.typed}.items()
    }
    return (
        forms | {f"agreed_{side}": digest for side, digest in editor.agreed.items()} | {"json": editor.text}
    )


def commands(sent: Mapping[str, str]) -> Any:
    return read_editor(sent).commands


def test_nothing_changes_by_itself() -> None:
    text = json.dumps([ASKS, JOINS, *HELLO])
    editor = read_editor(sent_by(text))
    assert (editor.follows, editor.text, editor.in_step) == (None, text, True)


@given(valid_routines())
def test_whatever_is_right_can_be_shown_and_read_again(routine: Any) -> None:
    said = [{name: value for name, value in one.items() if value is not None} for one in routine]
    assert commands_of(cards_of(routine)) == (said, {})


@given(st.lists(any_json, max_size=4))
def test_whatever_is_wrong_can_too(values: list[Any]) -> None:
    """But for fields that are null or empty: the form shows nothing there, and sends nothing."""
    read_again, mistyped = commands_of(cards_of(values))
    assert mistyped == {}
    assert written(commands_of(cards_of(read_again))[0]) == written(read_again)
    for before, after in zip(values, read_again, strict=True):
        assert after == before or isinstance(before, dict)


def test_a_field_that_is_typed_goes_into_the_json() -> None:
    sent = sent_by(json.dumps(HELLO)) | {"c0-text": "Good morning"}
    editor = read_editor(sent)
    assert editor.follows == Side.JSON
    assert editor.commands == [{"name": "Say", "text": "Good morning"}, {"name": "HangUp"}]


def test_a_text_of_several_lines_stays_as_it_is() -> None:
    sent = sent_by(json.dumps(HELLO)) | {"c0-text": "one\r\n two "}
    assert commands(sent)[0]["text"] == "one\n two "


@pytest.mark.parametrize(
    ("typed", "value"), [("4", 4), (" 4 ", 4), ("", None), ("four", "four"), ("4.5", "4.5"), ("-1", -1)]
)
def test_a_number_is_a_number_once_it_can_be_one(typed: str, value: Any) -> None:
    sent = sent_by(json.dumps([ASKS])) | {"c0-count": typed}
    assert commands(sent)[0].get("count") == value


def test_answers_are_rows() -> None:
    sent = sent_by(json.dumps([ASKS]))
    assert (sent["c0-then-0-answer"], sent["c0-then-any"], sent["c0-then-none"]) == ("1", "8", "9")
    sent |= {"c0-then-1-answer": "2", "c0-then-1-routine": "5", "c0-then-none": ""}
    assert commands(sent)[0]["then"] == {"1": 7, "2": 5, "any": 8}


def test_an_answer_has_one_line_only() -> None:
    sent = sent_by(json.dumps([ASKS])) | {"c0-then-1-answer": "1", "c0-then-1-routine": "5"}
    editor = read_editor(sent)
    assert editor.mistyped == {"c0-then": "There are two lines for the answer “1”."}
    assert editor.text == sent["json"]


def test_a_row_that_is_emptied_is_gone() -> None:
    sent = sent_by(json.dumps([JOINS])) | {"c0-live_scan-0-key": "", "c0-live_scan-0-query": ""}
    assert commands(sent)[0]["live_scan"] == [{"key": "b", "query": "cancel"}]


def test_a_problem_in_a_row_stands_where_the_row_is_typed() -> None:
    """Rows that were emptied are still there until the forms are written anew."""
    emptied = {"c0-live_scan-0-key": "", "c0-live_scan-0-query": "", "c0-live_scan-1-query": ""}
    looked_at = view(read_editor(sent_by(json.dumps([JOINS])) | emptied), {})
    assert looked_at.by_control == {"c0-live_scan-1-query": "Is missing."}


@pytest.mark.parametrize(
    ("command", "control", "words"),
    [
        ({"name": "Say"}, "c0-text", "Is missing."),
        ({"name": "Say", "text": "x", "loud": 1}, "c0-others", "loud: is not a field of this command."),
        (
            {"name": "GetDigits", "count": 1, "then": {"1": None}},
            "c0-then",
            "Then 1: must be a whole number.",
        ),
        ("Say", "c0-others", "A command is an object, in { }."),
        ({"name": ""}, "c0-name", "Must be the name of a command."),
        (
            {"name": "GetDigits", "count": "x", "timeout_seconds": 0},
            "c0-timeout_seconds",
            "Is smaller than 1.",
        ),
    ],
)
def test_each_problem_stands_at_its_control(command: Any, control: str, words: str) -> None:
    assert view(open_editor(json.dumps([command])), {}).by_control[control] == words


def test_json_that_is_typed_goes_into_the_forms() -> None:
    sent = sent_by(json.dumps(HELLO)) | {"json": json.dumps([ASKS])}
    editor = read_editor(sent)
    assert editor.follows == Side.FORMS
    assert [card.kind for card in editor.cards] == ["GetDigits"]
    assert editor.cards[0].typed["count"] == "4"


def test_json_that_cannot_be_read_leaves_the_forms_as_they_are() -> None:
    editor = read_editor(sent_by(json.dumps(HELLO)) | {"json": '[{"name": "Say",\n "text" "x"}]'})
    assert editor.unread == "This is not JSON: expecting ':' delimiter, in line 2, column 9."
    assert [card.kind for card in editor.cards] == ["Say", "HangUp"]
    assert editor.text == '[{"name": "Say",\n "text" "x"}]'


def test_forms_changed_meanwhile_do_not_write_over_it() -> None:
    broken = sent_by(json.dumps(HELLO)) | {"json": "[{"}
    editor = read_editor(broken | {"c0-text": "Good morning"})
    assert editor.clash
    assert editor.text == "[{"
    assert editor.cards[0].typed["text"] == "Good morning"


@pytest.mark.parametrize(("keep", "text"), [("forms", "From the form"), ("json", "From the JSON")])
def test_where_both_were_changed_a_person_says_which_stays(keep: str, text: str) -> None:
    sent = sent_by(json.dumps(HELLO)) | {
        "c0-text": "From the form",
        "json": json.dumps([{"name": "Say", "text": "From the JSON"}]),
    }
    assert read_editor(sent).clash
    kept = read_editor(sent | {"keep": keep})
    assert kept.in_step
    assert kept.commands[0]["text"] == text
    assert kept.cards[0].typed["text"] == text


def test_a_command_that_is_not_known_is_kept_whole() -> None:
    odd = {"name": "Whisper", "to": ["ana"], "deep": {"x": None}}
    sent = sent_by(json.dumps([odd, *HELLO]))
    assert json.loads(sent["c0-others"]) == {"to": ["ana"], "deep": {"x": None}}
    assert commands(sent | {"c1-text": "Changed"})[0] == odd


def test_a_field_that_is_not_documented_is_kept() -> None:
    sent = sent_by(json.dumps([{"name": "GetDate", "prompt": "When?", "format": "dmy"}]))
    assert json.loads(sent["c0-others"]) == {"format": "dmy"}
    assert commands(sent | {"c0-prompt": "On which day?"}) == [
        {"name": "GetDate", "prompt": "On which day?", "format": "dmy"}
    ]


def test_other_fields_that_are_no_json_leave_the_json_as_it_is() -> None:
    text = json.dumps([{"name": "GetDate", "format": "dmy"}])
    editor = read_editor(sent_by(text) | {"c0-others": '{"format": '})
    assert list(editor.mistyped) == ["c0-others"]
    assert editor.text == text


@pytest.mark.parametrize(
    "value", ["a\rb", "a\x00b", "\ud800", "two\nlines", " spaced ", 4, ["list"], {"an": "object"}, True]
)
def test_what_no_browser_would_send_back_is_shown_as_json(value: Any) -> None:
    command = {"name": "JoinConference", "conference_name": value}
    (card,) = cards_of([command])
    assert "conference_name" not in card.typed
    assert json.loads(card.others) == {"conference_name": value}
    assert commands_of([card]) == ([command], {})


def test_buttons_move_add_and_remove() -> None:
    editor = open_editor(json.dumps(HELLO))
    assert [c["name"] for c in apply_action(editor, "down:1").commands] == ["HangUp", "Say"]
    assert [c["name"] for c in apply_action(editor, "up:2").commands] == ["HangUp", "Say"]
    assert [c["name"] for c in apply_action(editor, "remove:1").commands] == ["HangUp"]
    assert apply_action(editor, "add:GetDate").commands[2] == {"name": "GetDate"}
    assert apply_action(editor, "add:").commands[2] == {"name": ""}


@pytest.mark.parametrize(
    "action", ["", "up:1", "down:2", "remove:0", "remove:3", "up:", "up:x", "up:²", "up:99999", "fly:1"]
)
def test_buttons_that_cannot_do_anything_do_nothing(action: str) -> None:
    editor = open_editor(json.dumps(HELLO))
    assert apply_action(editor, action).commands == HELLO


def test_no_more_commands_are_added_than_a_routine_may_have() -> None:
    editor = open_editor(json.dumps(HELLO[1:] * MOST_COMMANDS))
    assert len(apply_action(editor, "add:Say").commands) == MOST_COMMANDS


def test_forms_of_more_than_can_be_kept_leave_the_json_as_it_is() -> None:
    sent = sent_by(json.dumps(HELLO)) | {"c0-text": "x" * 70_000}
    editor = read_editor(sent)
    assert editor.mistyped == {"json": "The JSON is larger than 64 KB."}
    assert editor.text == sent["json"]
    assert apply_action(editor, "remove:1").commands == HELLO[1:]


@pytest.mark.django_db
def test_the_page_sends_back_what_it_was_given(writer: Client, make_routine: MakeRoutine) -> None:
    other = make_routine("Other").pk
    asks = ASKS | {"then": {"1": other, "any": 4_000, "": other}}
    odd = {"name": "Whisper", "text": "<b>&amp;\n</textarea>"}
    wrong = {"name": "Say", "text": 5, "loud": True}
    routine = make_routine("All", draft=written([asks, JOINS, odd, wrong, "text", *HELLO]))
    page = writer.get(f"/routines/{routine.pk}/edit/")
    sent = controls(page)
    editor = read_editor(sent)
    assert (editor.in_step, editor.follows) == (True, None)
    assert editor.commands == [asks, JOINS, odd, wrong, "text", *HELLO]


@pytest.mark.django_db
def test_it_works_without_scripts(writer: Client) -> None:
    """Add two commands, fill them in, move one, publish: each step a plain form."""
    sent = controls(writer.get("/routines/new/")) | {"name": "By hand"}
    for action in ("add:HangUp", "add:Say"):
        sent = controls(writer.post("/routines/new/", sent | {"do": action})) | {"name": "By hand"}
    sent |= {"c1-text": "Good morning"}
    answer = writer.post("/routines/new/", sent | {"do": "up:2"})
    assert answer.status_code == 200
    sent = controls(answer) | {"do": "publish", "note": "First"}
    assert writer.post("/routines/new/", sent).status_code == 302
    page = writer.get("/routines/").content.decode()
    assert "Says “Good morning”, then hangs up." in page


@pytest.mark.django_db
def test_a_step_writes_the_other_side_only(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    address = f"/routines/{routine.pk}/edit/"
    sent = controls(writer.get(address))
    headers = {"HX-Request": "true"}
    step = writer.post(address, sent | {"c0-text": ""}, headers=headers).content.decode()
    assert 'id="json"' in step
    assert 'id="cards"' not in step
    assert 'id="c0-text"' not in step
    assert '<p class="problem" id="c0-text-problem" hx-swap-oob="true">Is missing.</p>' in step
    step = writer.post(address, sent | {"json": "[]"}, headers=headers).content.decode()
    assert 'id="cards"' in step
    assert 'id="json"' not in step
