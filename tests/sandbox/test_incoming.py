"""Inbound calls ask the application what to do."""

from tests.conftest import Sandbox, running_sandbox, wait_until
from tests.sandbox.listener import Listener

CONFERENCE = {"routine": [{"name": "JoinConference", "conference_name": "room"}]}


def test_an_inbound_call_is_posted_to_on_incoming_and_runs_what_is_answered(
    placing: Sandbox, listener: Listener
) -> None:
    listener.answers = lambda path, body: CONFERENCE
    placing.configure(on_incoming=f"{listener.url}/incoming")
    connection_id = placing.incoming("webrtc:ana", to="+14155550100", client_data={"ticket": 7})
    wait_until(lambda: placing.call(connection_id)["running"] == "JoinConference")
    ((path, body),) = listener.heard
    row = body["connection"]
    assert (path, body["account_id"], row["status"]) == ("/incoming", "tests", "connecting")
    assert (row["from"], row["to"], row["direction"]) == ("webrtc:ana", "+14155550100", "outgoing")
    assert row["client_data"] == {"ticket": 7}
    assert placing.call(connection_id)["routines"][0]["how"] == "incoming"


def test_no_status_of_an_inbound_call_is_posted(placing: Sandbox, listener: Listener) -> None:
    placing.configure(on_incoming=f"{listener.url}/incoming")
    connection_id = placing.incoming()
    wait_until(lambda: placing.call(connection_id)["connection"]["status"] == "connected")
    placing.person_hangs_up(connection_id)
    following = placing.incoming()
    wait_until(lambda: placing.callbacks(following))
    assert [entry["kind"] for entry in placing.callbacks(connection_id)] == ["incoming"]


def test_without_an_application_it_connects_and_ends_by_itself(placing: Sandbox) -> None:
    placing.configure(idle_seconds=0)
    connection_id = placing.incoming()
    wait_until(lambda: placing.call(connection_id)["connection"]["status"] == "finished")
    assert placing.callbacks(connection_id) == []


def test_generated_traffic_is_posted_to_on_incoming_as_well(listener: Listener) -> None:
    listener.answers = lambda path, body: CONFERENCE
    with running_sandbox("--calls", "5", "--rate", "600", "--on-incoming", listener.url) as sandbox:
        ((_, body), *_) = wait_until(lambda: listener.heard)
        assert body["connection"]["direction"] == "outgoing"
        connection_id = body["connection"]["connection_id"]
        wait_until(lambda: sandbox.call(connection_id)["running"] == "JoinConference")
