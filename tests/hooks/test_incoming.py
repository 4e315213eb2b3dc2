"""A call comes in: the first rule that matches says what the caller hears."""

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any

import pytest
from django.test import Client

from connections_app.hooks.incoming import is_open, matches_endpoint, rule_for
from connections_app.models import (
    ConnectionEvent,
    InboundRule,
    Operator,
    Origin,
    Push,
    Script,
    Source,
    new_token,
)
from connections_app.sift.payloads import Observation, parse_connection
from connections_app.sync.account import claim
from tests.hooks.conftest import (
    ASK,
    DIAL,
    NUMBER,
    SAY,
    Commands,
    Sift,
    answer,
    call,
    kept,
    known,
    publish,
    pushed,
    refusal,
    saved,
    status_of,
    told,
)

pytestmark = pytest.mark.django_db

CALLER = "+493012345678"
Ring = Callable[..., Any]


@pytest.fixture
def ring(sift: Sift) -> Ring:
    """Somebody calls in; what Sift is answered."""
    token = claim().incoming_token

    def ring(connection_id: str = "c1", **fields: Any) -> Any:
        caller = {"from": CALLER, "direction": "outgoing"}
        return answer(sift.incoming(token, told("connecting", connection_id, **(caller | fields))))

    return ring


def rule(name: str, commands: Commands | None = None, **fields: Any) -> InboundRule:
    """A rule that says its name, or runs `commands`."""
    routine = saved(name, commands or says(name))
    return InboundRule.objects.create(**({"name": name, "routine": routine} | fields))


def says(words: str) -> Commands:
    return [{"name": "Say", "text": words}]


def heard(answered: Any) -> str:
    return str(answered["routine"][0]["text"])


def observed(**fields: Any) -> Observation:
    one = parse_connection({"connection_id": "c1", "status": "connecting", **fields})
    assert isinstance(one, Observation)
    return one


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


# Which rule ------------------------------------------------------------------------------------------------


def test_without_a_rule_of_its_own_a_call_gets_the_default(ring: Ring) -> None:
    assert heard(ring()).startswith("Thank you for calling.")


def test_the_first_rule_that_matches_wins(ring: Ring) -> None:
    rule("Last", rank=30)
    rule("Others", rank=1, to_endpoint="+14155550100")
    rule("Off", rank=2, is_active=False)
    rule("First", rank=10, to_endpoint=NUMBER)
    rule("Second", rank=10, from_endpoint=CALLER)
    assert heard(ring()) == "First"
    assert heard(ring("c2", to="+14155550177")) == "Second"
    assert heard(ring("c3", to="+14155550177", **{"from": "webrtc:ana"})) == "Last"


def test_all_conditions_of_a_rule_must_match(ring: Ring) -> None:
    rule("Both", to_endpoint=NUMBER, from_endpoint="+4930*")
    assert heard(ring()) == "Both"
    assert heard(ring("c2", **{"from": "+14155550123"})) != "Both"
    assert heard(ring("c3", to="webrtc:ana")) != "Both"


@pytest.mark.parametrize(
    ("pattern", "endpoint", "matches"),
    [
        ("", None, True),
        ("", "+4930123", True),
        ("+4930123", "+4930123", True),
        ("+4930123", "+49301234", False),
        ("+4930123", None, False),
        ("+4930*", "+4930123", True),
        ("+4930*", "+4930", True),
        ("+4930*", "+4931", False),
        ("*", None, True),
        ("webrtc:ana", "webrtc:ana", True),
        ("ana", "webrtc:ana", True),
        ("webrtc:ana", "ana", True),
        ("Ana", "webrtc:aNa", True),
        ("webrtc:an*", "webrtc:ana", True),
        ("webrtc:*", "webrtc:ana", True),
        ("ana", "webrtc:anatol", False),
        ("webrtc:4930123", "+4930123", False),
        ("[a-z]+", "webrtc:ana", False),
        ("%", "webrtc:ana", False),
        ("ΜΑΡΙΟΣ", "webrtc:μαριοσ", True),
        ("WEBRTC: Ana ", " webrtc:ana", True),
        ("ΜΑΡΙΟΣ*", "webrtc:μαριοσα", True),
        ("İ*", "webrtc:İbrahim", True),
    ],
)
def test_an_endpoint_is_matched_whole_or_by_its_beginning(
    pattern: str, endpoint: str | None, matches: bool
) -> None:
    rules = InboundRule.objects.filter(pk=rule("Rule", to_endpoint=pattern).pk)
    condition = matches_endpoint("connections_app_inboundrule.to_endpoint", endpoint)
    assert rules.annotate(matches=condition).get().matches == matches  # type: ignore[attr-defined]


BERLIN = {"time_zone": "Europe/Berlin"}
OFFICE = BERLIN | {"opens": time(9), "closes": time(17), "days": "12345"}
NIGHT = BERLIN | {"opens": time(22), "closes": time(6), "days": "5"}


@pytest.mark.parametrize(
    ("hours", "now", "open_"),
    [
        ({}, "2026-05-10T23:59:59.999999Z", True),
        # Summer: UTC+2.
        (OFFICE, "2026-05-11T06:59:59Z", False),
        (OFFICE, "2026-05-11T07:00:00Z", True),
        (OFFICE, "2026-05-11T14:59:59.999999Z", True),
        (OFFICE, "2026-05-11T15:00:00Z", False),
        (OFFICE, "2026-05-10T12:00:00Z", False),
        # Winter: UTC+1; the clocks went back on 25 October.
        (OFFICE, "2026-10-23T07:30:00Z", True),
        (OFFICE, "2026-10-26T07:30:00Z", False),
        (OFFICE, "2026-10-26T08:00:00Z", True),
        (OFFICE, "2026-10-26T15:59:59Z", True),
        # From Friday 22:00 to Saturday 06:00.
        (NIGHT, "2026-05-15T19:59:59Z", False),
        (NIGHT, "2026-05-15T20:00:00Z", True),
        (NIGHT, "2026-05-16T03:59:59Z", True),
        (NIGHT, "2026-05-16T04:00:00Z", False),
        (NIGHT, "2026-05-16T20:30:00Z", False),
        (NIGHT, "2026-05-15T03:00:00Z", False),
        # The night in which an hour comes twice, and the one in which an hour is missing.
        (NIGHT | {"days": "6"}, "2026-10-25T00:30:00Z", True),
        (NIGHT | {"days": "6"}, "2026-10-25T01:30:00Z", True),
        (NIGHT | {"days": "6"}, "2026-10-25T04:59:59Z", True),
        (NIGHT | {"days": "6"}, "2026-10-25T05:00:00Z", False),
        (NIGHT | {"days": "6"}, "2026-03-29T01:30:00Z", True),
        (NIGHT | {"days": "6"}, "2026-03-29T04:00:00Z", False),
        # Until midnight.
        (BERLIN | {"opens": time(9), "closes": time(0)}, "2026-05-11T21:59:59Z", True),
        (BERLIN | {"opens": time(9), "closes": time(0)}, "2026-05-11T22:00:00Z", False),
        (BERLIN | {"opens": time(0), "closes": time(9)}, "2026-05-11T22:00:00Z", True),
        # A day that is another one in UTC.
        ({"time_zone": "Pacific/Auckland", "days": "1"}, "2026-05-10T12:00:00Z", True),
        ({"time_zone": "Pacific/Auckland", "days": "1"}, "2026-05-11T12:00:00Z", False),
        (
            {"time_zone": "Asia/Kathmandu", "opens": time(9, 45), "closes": time(10)},
            "2026-05-11T04:00:00Z",
            True,
        ),
        # A zone that this machine does not know is taken for UTC.
        ({"time_zone": "Mars/Olympus", "opens": time(9), "closes": time(10)}, "2026-05-11T09:30:00Z", True),
    ],
)
def test_hours_are_those_of_the_rules_zone(hours: dict[str, Any], now: str, open_: bool) -> None:
    assert is_open(InboundRule(**hours), at(now)) == open_


def test_a_closed_rule_leaves_the_call_to_the_next() -> None:
    rules = [InboundRule(name="Office", **OFFICE), InboundRule(name="Default")]
    at_noon = rule_for(rules, at("2026-05-11T10:00:00Z"))
    at_night = rule_for(rules, at("2026-05-11T20:00:00Z"))
    assert (str(at_noon), str(at_night)) == ("Office", "Default")
    assert rule_for([], datetime.now(UTC)) is None


def test_without_any_rule_the_call_is_taken_and_nothing_is_answered(sift: Sift, ring: Ring) -> None:
    InboundRule.objects.update(is_active=False)
    assert ring() == {}
    assert status_of() == "connecting"
    assert refusal(sift.incoming(new_token(), told("connecting")))[0] == 404


# What it is answered ---------------------------------------------------------------------------------------


def test_the_call_is_on_the_board_at_once(client: Client, ring: Ring, supervisor: Operator) -> None:
    ring()
    client.force_login(supervisor)
    assert CALLER[-4:] in client.get("/").content.decode().replace(" ", "")
    assert call().first_source == Source.CALLBACK


def test_the_same_call_gets_the_same_answer(ring: Ring) -> None:
    routine = saved("Ask", [*says("Hello"), *ASK])
    InboundRule.objects.create(name="Ask", routine=routine)
    first = ring()
    publish(routine, says("Newer"))
    assert [ring(), ring(start_time="2026-05-10T02:28:17Z"), ring()] == [first] * 3
    assert Script.objects.count() == 1
    assert [(one.times, one.kind) for one in kept()] == [(3, "incoming"), (1, "incoming")]


def test_a_routine_that_dials_is_given_once(ring: Ring) -> None:
    rule("Connect", DIAL)
    assert [ring(), ring(), ring()] == [{"routine": DIAL}, {}, {}]


def test_a_call_that_was_steered_since_gets_nothing(ring: Ring) -> None:
    rule("Hello")
    ring()
    pushed(call(), SAY, kind=Push.Kind.HANG_UP)
    assert ring() == {}


def test_a_call_that_was_in_the_list_first_is_answered_too(ring: Ring) -> None:
    rule("Hello")
    known(**{"from": CALLER, "direction": "outgoing"})
    assert heard(ring()) == "Hello"
    known("connected", "c2")
    assert heard(ring("c2")) == "Hello"
    assert status_of("c2") == "connected"


def test_what_is_answered_is_the_script_in_force(sift: Sift, ring: Ring) -> None:
    rule("Ask", ASK)
    ring()
    script = Script.objects.get()
    assert (script.origin, script.connection, script.superseded_by) == (Origin.INBOUND, call(), None)
    assert script.offered_at
    body = {"connection_id": "c1", "digits": "7"}
    assert answer(sift.done(script.steps.get().token, body)) == {}
    assert kept()[-1].connection == call()


def test_a_menu_goes_on_with_the_versions_of_when_the_call_came_in(sift: Sift, ring: Ring) -> None:
    sales = saved("Sales", says("Sales"))
    deeper = saved("Deeper", [{"name": "GetDigits", "count": 1, "then": {"1": sales.pk}}])
    menu = saved("Menu", SAY)
    publish(menu, [{"name": "GetDigits", "count": 1, "then": {"1": deeper.pk, "any": menu.pk}}])
    InboundRule.objects.create(name="Menu", routine=menu)
    ring()
    publish(sales, says("Newer"))
    publish(deeper, says("Newer"))
    body = {"connection_id": "c1", "digits": "9"}
    for digits in ("9", "1", "1"):
        token = Script.objects.latest("pk").steps.get().token
        answered = answer(sift.done(token, body | {"digits": digits}))
    assert heard(answered) == "Sales"


def test_a_rule_whose_routine_cannot_be_filled_answers_nothing_and_says_so(
    ring: Ring, caplog: pytest.LogCaptureFixture
) -> None:
    rule("Greeting", says("Hello {{ customer }}"))
    assert ring() == {}
    assert "Rule “Greeting” cannot answer" in caplog.text
    assert status_of() == "connecting"


def test_one_that_is_not_understood_is_kept_and_makes_no_call(sift: Sift) -> None:
    token = claim().incoming_token
    assert refusal(sift.incoming(token, {})) == (400, "connection_id is missing, not a text.")
    assert [(one.status, one.kind, one.connection) for one in kept()] == [(400, "incoming", None)]
    assert refusal(sift.incoming(new_token(), {}))[0] == 404


def test_nothing_is_found_before_the_database_belongs_to_an_account(sift: Sift) -> None:
    assert refusal(sift.incoming(new_token(), told("connecting")))[0] == 404
    assert not kept()


def test_an_unchanged_call_is_not_written_again(ring: Ring) -> None:
    ring()
    before = call().change_number
    ring()
    assert call().change_number == before
    assert not ConnectionEvent.objects.exists()
