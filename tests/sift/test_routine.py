"""A routine is checked before anybody hears it: what is right passes, what is wrong is named where it is."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connections_app.sift.commands import COMMANDS, Input
from connections_app.sift.placeholders import Kind, Placeholder, fill, placeholders
from connections_app.sift.problems import Problem
from connections_app.sift.routine import (
    LARGEST_BYTES,
    MOST_COMMANDS,
    check,
    decoded,
    for_sift,
    preview,
    read,
    written,
)
from tests.sift.broken_routines import (
    BROKEN,
    RIGHT,
    deep,
    right,
    without,
)
from tests.sift.routines_made import TEXT, any_json, any_value, valid_routines

SOUND, ADDRESS = "https://media.example/hello.wav", "https://ours.example/done"


def test_there_is_one_right_command_of_each_name() -> None:
    assert RIGHT.keys() == COMMANDS.keys()
    assert check([right(name) for name in RIGHT]).problems == ()


def test_there_are_many_ways_to_be_wrong() -> None:
    assert len(BROKEN) >= 200
    assert len({repr(command) for command, _ in BROKEN}) == len(BROKEN)


@pytest.mark.parametrize("position", [1, 2, 3])
def test_each_is_refused_where_it_is_wrong(position: int) -> None:
    for command, field in BROKEN:
        routine: list[Any] = [right("Say"), right("HangUp")]
        routine.insert(position - 1, command)
        checked = check(routine)
        assert [problem.position for problem in checked.problems] == [position], command
        assert [problem.field for problem in checked.problems] == [field], command
        assert checked.commands == ()
        assert str(checked.problems[0]).startswith(f"Command {position}")


@settings(max_examples=300)
@given(valid_routines())
def test_what_is_right_by_the_schema_passes(routine: Any) -> None:
    assert check(routine).problems == ()
    assert list(check(routine).source) == routine
    assert preview(check(routine)).endswith(".")


@settings(max_examples=500)
@given(any_value | st.lists(any_value, max_size=5))
def test_nothing_makes_it_raise(value: Any) -> None:
    checked = check(value)
    assert checked.problems or checked.commands
    for problem in checked.problems:
        assert str(problem).endswith(".")
    preview(checked)
    placeholders(value if isinstance(value, list) else [])


@given(valid_routines(), st.data())
def test_one_field_of_anything_never_makes_it_raise(routine: Any, data: st.DataObject) -> None:
    command = data.draw(st.sampled_from(routine))
    command[data.draw(st.sampled_from([*command]))] = data.draw(any_json)
    assert check(routine).problems or check(routine).commands


@given(any_json)
def test_what_is_written_for_people_says_the_same(value: Any) -> None:
    text = written(value)
    text.encode()
    assert json.loads(text) == value


@settings(max_examples=300)
@given(st.text() | st.text(st.sampled_from('[]{}",:1e-.\\u0d8 tfn')))
def test_no_text_makes_it_raise(text: str) -> None:
    checked = read(text)
    assert checked.problems or checked.commands


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "This is not JSON: expecting value, in line 1, column 1."),
        ('[{"name": "HangUp"}\n,]', "in line 2, column 2."),
        ("[NaN]", "This is not JSON that Sift could read."),
        ("[-Infinity]", "This is not JSON that Sift could read."),
        ("[" * 100_000, "larger than 64 KB"),
        ("[" * 50_000 + "]" * 10_000, "This is not JSON"),
        ("[" * 30_000 + "]" * 30_000, "This is not JSON that Sift could read."),
        (json.dumps(deep(200)), "nested too deeply"),
        ("[1" + "0" * 5_000 + "]", "This is not JSON that Sift could read."),
        ("[1e999]", "This is not JSON that Sift could read."),
        ('"\x00"', "This is not JSON"),
        ('"' + "x" * LARGEST_BYTES + '"', "larger than 64 KB"),
        ("{}", "A routine is a list of commands, in [ ]."),
        ("null", "A routine is a list of commands"),
        ("[]", "The routine has no commands."),
        (json.dumps([{"name": "HangUp"}] * (MOST_COMMANDS + 1)), "101 commands; 100 are the most"),
    ],
)
def test_what_is_no_routine_is_refused_in_words(text: str, words: str) -> None:
    (problem,) = read(text).problems
    assert problem.position is None or words.startswith(f"Command {problem.position}")
    assert words in str(problem)


def test_a_deep_value_is_refused_and_not_walked_into() -> None:
    (problem,) = check([right("Say"), {"name": "Whisper", "odd": deep(50_000)}]).problems
    assert str(problem) == "The routine is nested too deeply."


def test_decoding_returns_what_is_written_also_where_it_is_wrong() -> None:
    assert decoded('[{"name": "Say", "text": 5}]') == [{"name": "Say", "text": 5}]


def test_several_problems_come_in_order() -> None:
    checked = check(
        [right("Say", text=""), right("HangUp"), right("GetDigits", count=0, timeout_seconds="x")]
    )
    assert [(problem.position, problem.field) for problem in checked.problems] == [
        (1, "text"),
        (3, "count"),
        (3, "timeout_seconds"),
    ]


def test_older_names_lead_to_newer_ones() -> None:
    (problem,) = check([right("JoinConference", on_event=ADDRESS)]).problems
    assert problem == Problem("is called event_callback now", 1, "JoinConference", "on_event")


def test_a_command_with_then_may_have_no_on_done() -> None:
    (problem,) = check([right("GetDigits", on_done=ADDRESS)]).problems
    assert (problem.field, problem.position) == ("on_done", 1)


@pytest.mark.parametrize("do_record", [False, None])
def test_processors_need_a_recording(do_record: bool | None) -> None:
    (problem,) = check([right("JoinConference", do_record=do_record)]).problems
    assert problem.field == "processors"


def test_a_command_that_is_not_known_is_a_warning() -> None:
    checked = check([{"name": "Whisper", "to": "ana"}])
    assert checked.problems == ()
    assert [str(warning) for warning in checked.warnings] == [
        "Command 1 (Whisper), name: this command is not known here."
    ]
    assert checked.dials


def test_a_field_that_is_not_documented_is_a_note() -> None:
    checked = check([right("GetDate", format="dmy")])
    assert (checked.problems, checked.warnings) == ((), ())
    assert [note.field for note in checked.notes] == ["format"]


# Placeholders


def test_placeholders_are_found_in_order_and_once() -> None:
    routine = [
        right("Say", text="Hello {{ customer }}, {{day}}. {{ customer|text }}!"),
        right(
            "CallPhone", phone_number="{{ number|phone }}", live_scan=[{"key": "k", "query": "{{ topic }}"}]
        ),
    ]
    checked = check(routine)
    assert checked.problems == ()
    assert checked.placeholders == (
        Placeholder("customer", Kind.TEXT),
        Placeholder("day", Kind.TEXT),
        Placeholder("number", Kind.PHONE),
        Placeholder("topic", Kind.TEXT),
    )
    assert Placeholder("customer_name", Kind.TEXT).label == "Customer name"


def test_one_name_stands_for_one_kind_of_value() -> None:
    checked = check(
        [right("Say", text="{{ number }}"), right("CallPhone", phone_number="{{ number|phone }}")]
    )
    assert [str(problem) for problem in checked.problems] == [
        "Command 2 (CallPhone): number is a text here and a phone there."
    ]


@pytest.mark.parametrize("text", ["{{ }}", "{{ 1 }}", "{{ a b }}", "{{ a|colour }}", "{{ ü }}", "{{a|b|c}}"])
def test_braces_that_are_no_placeholder_are_a_problem(text: str) -> None:
    (problem,) = check([right("Say", text=text)]).problems
    assert problem.field == "text"
    assert "is not a placeholder" in problem.words


def test_a_placeholder_cannot_name_the_command() -> None:
    """What is checked before it is filled in would not be what is run."""
    (problem,) = check([{"name": "{{ command }}"}]).problems
    assert problem.field == "name"


FILLED = [
    right("Say", text="Hello {{ customer }}, {{ amount|number }} due"),
    right("CallPhone", phone_number="{{ n|phone }}"),
]


def test_they_are_filled_in() -> None:
    filled = fill(FILLED, {"customer": " Ana ", "amount": "1,200.50", "n": "(415) 555-0142"}, "US")
    assert filled.problems == {}
    assert filled.commands[0]["text"] == "Hello Ana, 1,200.50 due"
    assert filled.commands[1]["phone_number"] == "+14155550142"
    assert check(filled.commands).problems == ()


def test_what_is_missing_or_does_not_fit_is_named() -> None:
    filled = fill(FILLED, {"customer": "", "amount": "many", "n": "12"}, "US")
    assert filled.commands == []
    assert filled.problems == {
        "customer": "Customer is missing.",
        "amount": "Amount must be a number.",
        "n": "N: it is too short.",
    }


@pytest.mark.parametrize("value", ["a\x00b", "\ud800", "two\nlines", "{{ again }}", "}}", "x" * 201])
def test_what_cannot_be_said_is_not_filled_in(value: str) -> None:
    assert "customer" in fill(FILLED, {"customer": value, "amount": "1", "n": "+14155550142"}, "US").problems


@given(TEXT.filter(str.strip), st.text(max_size=20))
def test_filling_in_never_changes_anything_else(value: str, around: str) -> None:
    around = around.replace("{", "").replace("}", "")
    routine = [{"name": "Say", "text": f"{around}{{{{ x }}}}{around}"}]
    filled = fill(routine, {"x": value}, "US")
    assert filled.commands[0]["text"] == f"{around}{value.strip()}{around}"


# In words


def test_it_is_described_in_one_sentence() -> None:
    routine = [
        right("Say", text="Hello  {{ customer }},\nhow are you?", on_done=None),
        right("Play"),
        right("GetDigits", count=1, then={"1": 7, "any": 8, "": 99}),
        right("GetYesOrNo", prompt="Shall we?", then=None),
        right("JoinConference"),
        right("CallPhone", phone_number="{{ number|phone }}", do_record=False),
        right("CallClient", do_record=None),
        {"name": "Whisper"},
        right("HangUp"),
    ]
    assert preview(check(routine), {7: "Sales", 8: "Goodbye"}) == (
        "Says “Hello {customer}, how are you?”, then plays hello.wav, then asks for 1 digit "
        "(“1” → Sales, anything else → Goodbye, nothing → routine 99), "
        "then asks for yes or no, saying “Shall we?”, "
        "then joins the conference “room”, recorded, then calls {number} and connects the two, "
        "then calls the client “ana” and connects the two, recorded, "
        "then does “Whisper”, which the dashboard does not know, then hangs up."
    )


def test_a_routine_with_problems_is_not_described() -> None:
    assert preview(check([right("Say", text="")])) == ""


def test_a_long_text_is_cut() -> None:
    assert preview(check([right("Say", text="word " * 100)])) == f"Says “{'word ' * 11}word…”."


# For Sift


def address_of(position: int) -> str:
    return f"https://ours.example/{position}"


def test_input_commands_alone_are_given_an_address() -> None:
    routine = [
        right("Say", on_done=None),
        right("GetDigits"),
        without(right("Play"), "on_done"),
        right("GetDate"),
    ]
    sent = for_sift(check(routine), address_of)
    assert [command.get("on_done") for command in sent] == [None, address_of(2), None, address_of(4)]


def test_an_address_of_ones_own_stays() -> None:
    asks = without(right("GetDigits"), "then") | {"on_done": ADDRESS}
    assert for_sift(check([asks]), address_of)[0]["on_done"] == ADDRESS


@pytest.mark.parametrize(
    ("name", "said", "sent"),
    [
        ("CallPhone", None, False),
        ("CallClient", None, True),
        ("CallPhone", True, True),
        ("CallClient", False, False),
    ],
)
def test_whether_it_is_recorded_is_always_said(name: str, said: bool | None, sent: bool) -> None:
    assert for_sift(check([right(name, do_record=said)]), address_of)[0]["do_record"] is sent


@given(valid_routines())
def test_sift_is_sent_what_was_written_and_nothing_of_ours(routine: Any) -> None:
    checked = check(routine)
    for given_, command, sent in zip(routine, checked.commands, for_sift(checked, address_of), strict=True):
        assert "then" not in sent
        assert None not in sent.values()
        expected = {name: value for name, value in given_.items() if value is not None and name != "then"}
        assert expected.items() <= sent.items()
        assert sent.keys() - expected.keys() <= {"on_done", "do_record"}
        assert ("on_done" in sent) >= isinstance(command, Input)
