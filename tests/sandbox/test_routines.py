"""Routines are checked, kept until the call connects, run in time, and replaced."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.conftest import Sandbox, wait_until
from tests.sandbox.listener import Listener

Create = Callable[..., str]
SetRoutine = Callable[..., requests.Response]
HANG_UP = {"name": "HangUp"}
CONFERENCE = {"name": "JoinConference", "conference_name": "room"}


def status(sandbox: Sandbox, connection_id: str) -> str:
    return str(sandbox.call(connection_id)["connection"]["status"])


def wait_for_status(sandbox: Sandbox, connection_id: str, wanted: str) -> None:
    wait_until(lambda: status(sandbox, connection_id) == wanted)


def wait_for_command(sandbox: Sandbox, connection_id: str, name: str) -> None:
    wait_until(lambda: sandbox.call(connection_id)["running"] == name)


@pytest.fixture
def connected(placing: Sandbox, create: Create) -> str:
    """A call that has connected and has no routine."""
    placing.configure(ring_seconds=0)
    connection_id = create()
    wait_for_status(placing, connection_id, "connected")
    return connection_id


def test_a_set_routine_is_answered_with_200_and_nothing(connected: str, set_routine: SetRoutine) -> None:
    answer = set_routine(connected, CONFERENCE)
    assert (answer.status_code, answer.content) == (200, b"")


def test_hang_up_ends_the_call(placing: Sandbox, connected: str, set_routine: SetRoutine) -> None:
    set_routine(connected, HANG_UP)
    row = placing.call(connected)["connection"]
    assert (row["status"], "end_time" in row) == ("finished", True)


@pytest.mark.parametrize(
    ("command", "place"),
    [
        ({"name": "Say"}, "routine[1].text"),
        ({"name": "Play", "sound_url": "hello.wav"}, "routine[1].sound_url"),
        ({"name": "GetDigits", "count": True}, "routine[1].count"),
        ({"name": "GetDigits", "count": 1, "timeout_seconds": "5"}, "routine[1].timeout_seconds"),
        ({"name": "JoinConference"}, "routine[1].conference_name"),
        ({"name": "CallPhone", "phone_number": "0800"}, "routine[1].phone_number"),
        ({"name": "CallClient"}, "routine[1].client_name"),
        ({"name": "GetNumber", "on_done": "nowhere"}, "routine[1].on_done"),
        ({"text": "hello"}, "routine[1]"),
        ("HangUp", "routine[1]"),
    ],
)
def test_an_invalid_routine_is_refused_with_its_place_and_changes_nothing(
    placing: Sandbox, connected: str, set_routine: SetRoutine, command: Any, place: str
) -> None:
    answer = set_routine(connected, HANG_UP, command)
    assert answer.status_code == 400
    assert place in answer.json()["error"]
    assert (status(placing, connected), placing.call(connected)["routines"]) == ("connected", [])


def test_an_unknown_command_is_passed_over(placing: Sandbox, connected: str, set_routine: SetRoutine) -> None:
    assert set_routine(connected, {"name": "Levitate"}, HANG_UP).status_code == 200
    wait_for_status(placing, connected, "finished")


def test_unknown_calls_and_those_that_are_over_take_no_routine(
    placing: Sandbox, connected: str, set_routine: SetRoutine
) -> None:
    set_routine(connected, HANG_UP)
    answers = [set_routine(one, HANG_UP) for one in ("nobody", connected, placing.oldest_first()[0])]
    assert [answer.status_code for answer in answers] == [404, 400, 400]
    assert all(list(answer.json()) == ["error"] for answer in answers)


def test_a_routine_set_while_it_rings_is_kept_until_it_connects(
    placing: Sandbox, create: Create, set_routine: SetRoutine
) -> None:
    placing.configure(answers="never")
    connection_id = create()
    set_routine(connection_id, CONFERENCE)
    (kept,) = placing.call(connection_id)["routines"]
    assert (kept["how"], kept["started_at"]) == ("set", None)
    placing.change(connection_id, status="connected")
    wait_for_command(placing, connection_id, "JoinConference")
    (started,) = placing.call(connection_id)["routines"]
    assert started["started_at"] >= kept["at"]


@pytest.mark.parametrize(("setting", "then"), [("at_once", "finished"), ("kept", "connecting")])
def test_hanging_up_a_ringing_call_ends_it_or_is_kept_as_is_set(
    placing: Sandbox, create: Create, set_routine: SetRoutine, setting: str, then: str
) -> None:
    placing.configure(answers="never", ringing_hang_up=setting)
    connection_id = create()
    set_routine(connection_id, HANG_UP)
    assert status(placing, connection_id) == then


def test_a_new_routine_stops_the_old_one(
    placing: Sandbox, connected: str, set_routine: SetRoutine, listener: Listener
) -> None:
    say = {"name": "Say", "text": "a" * 3000, "on_done": f"{listener.url}/done"}
    set_routine(connected, say)
    set_routine(connected, CONFERENCE)
    wait_for_command(placing, connected, "JoinConference")
    assert listener.done() == []
    assert [one["started_at"] is not None for one in placing.call(connected)["routines"]] == [True, True]


def test_a_traffic_call_can_be_hung_up_as_well(placing: Sandbox, set_routine: SetRoutine) -> None:
    (row,) = placing.add({"status": "connected"})
    set_routine(row["connection_id"], HANG_UP)
    assert status(placing, row["connection_id"]) == "finished"


def test_say_takes_as_long_as_its_text(
    placing: Sandbox, connected: str, set_routine: SetRoutine, listener: Listener
) -> None:
    set_routine(connected, {"name": "Say", "text": "a" * 120, "on_done": f"{listener.url}/done"})
    (callback,) = wait_until(lambda: [one for one in placing.callbacks(connected) if one["kind"] == "done"])
    assert callback["at"] - placing.call(connected)["routines"][0]["started_at"] > 7 / 20
    assert listener.done() == [{"account_id": "tests", "connection_id": connected}]


def test_a_used_up_routine_ends_the_call_unless_it_is_to_stay(
    placing: Sandbox, connected: str, create: Create, set_routine: SetRoutine, listener: Listener
) -> None:
    routine = {"name": "Play", "sound_url": "https://example.com/a.wav", "on_done": f"{listener.url}/done"}
    set_routine(connected, routine)
    wait_for_status(placing, connected, "finished")
    placing.configure(after_routine="stay")
    staying = create()
    set_routine(staying, routine)
    wait_until(lambda: len(listener.done()) == 2 and placing.call(staying)["running"] is None)
    assert status(placing, staying) == "connected"


def get_digits(listener: Listener, **more: Any) -> dict[str, Any]:
    return {"name": "GetDigits", "count": 4, "on_done": f"{listener.url}/done"} | more


def test_keyed_digits_are_sent_once_there_are_enough(
    placing: Sandbox, connected: str, set_routine: SetRoutine, listener: Listener
) -> None:
    set_routine(connected, get_digits(listener, timeout_seconds=600), CONFERENCE)
    placing.keys(connected, "12")
    placing.keys(connected, "3#")
    wait_for_command(placing, connected, "JoinConference")
    assert listener.done() == [{"account_id": "tests", "connection_id": connected, "digits": "123#"}]


@pytest.mark.parametrize(("keys", "digits"), [("", ""), ("77", "77"), ("123456", "1234")])
def test_without_a_test_digits_come_by_the_setting_or_time_runs_out(
    placing: Sandbox, connected: str, set_routine: SetRoutine, listener: Listener, keys: str, digits: str
) -> None:
    placing.configure(keys=keys)
    set_routine(connected, get_digits(listener, timeout_seconds=4))
    wait_until(listener.done)
    assert listener.done()[0]["digits"] == digits


def test_people_say_what_fits_what_a_test_says_or_nothing(
    placing: Sandbox, connected: str, set_routine: SetRoutine, listener: Listener
) -> None:
    on_done = {"on_done": f"{listener.url}/done"}
    set_routine(connected, {"name": "GetYesOrNo"} | on_done, {"name": "GetMultipleChoice"} | on_done)
    wait_until(lambda: len(listener.done()) == 2)
    placing.configure(says="nothing")
    placing.says(connected, "Ana")
    placing.says(connected, None, error="invalid")
    names = ("GetName", "GetNumber", "GetNumber")
    set_routine(connected, *({"name": name} | on_done for name in names))
    wait_until(lambda: len(listener.done()) == 5)
    ids = {"account_id": "tests", "connection_id": connected}
    assert listener.done() == [
        ids | {"value": True},
        ids | {"choice": "1"},
        ids | {"value": "Ana"},
        ids | {"value": None, "error": "invalid"},
        ids | {"value": None, "error": "timeout"},
    ]


def test_an_answer_to_on_done_replaces_what_follows(
    placing: Sandbox, connected: str, set_routine: SetRoutine, listener: Listener
) -> None:
    listener.answers = lambda path, body: {"routine": [CONFERENCE]} if path == "/done" else {}
    set_routine(connected, {"name": "Say", "text": "Hello", "on_done": f"{listener.url}/done"}, HANG_UP)
    wait_for_command(placing, connected, "JoinConference")
    assert [one["how"] for one in placing.call(connected)["routines"]] == ["set", "done"]


@pytest.mark.parametrize(
    ("command", "to"),
    [
        ({"name": "CallPhone", "phone_number": "+14155550199"}, "+14155550199"),
        ({"name": "CallClient", "client_name": "ana"}, "webrtc:ana"),
    ],
)
def test_a_second_party_is_dialled_and_stays_until_it_hangs_up(
    placing: Sandbox, connected: str, set_routine: SetRoutine, command: dict[str, Any], to: str
) -> None:
    set_routine(connected, command, CONFERENCE)
    (other,) = wait_until(lambda: placing.call(connected)["dialled"])
    dialled = placing.call(other)
    assert (dialled["made_by"], dialled["connection"]["to"]) == ("dial", to)
    wait_for_status(placing, other, "connected")
    assert placing.call(connected)["running"] == command["name"]
    placing.person_hangs_up(other)
    wait_for_command(placing, connected, "JoinConference")


def test_a_second_party_goes_when_the_first_is_hung_up(
    placing: Sandbox, connected: str, set_routine: SetRoutine
) -> None:
    set_routine(connected, {"name": "CallPhone", "phone_number": "+14155550001"})
    (other,) = wait_until(lambda: placing.call(connected)["dialled"])
    set_routine(connected, HANG_UP)
    wait_for_status(placing, other, "finished")


def test_a_second_party_that_cannot_be_had_is_passed_over(
    placing: Sandbox, connected: str, set_routine: SetRoutine
) -> None:
    numbers = ("+14155550000", "+14155550002")
    set_routine(connected, *({"name": "CallPhone", "phone_number": one} for one in numbers), CONFERENCE)
    wait_for_command(placing, connected, "JoinConference")
    assert len(placing.call(connected)["dialled"]) == 1
