"""Rows in every state that a page can show."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from connections_app.audit.log import record
from connections_app.control.requests import DEADLINE
from connections_app.models import (
    Action,
    BulkTagging,
    Callback,
    CallRequest,
    CallTag,
    Colour,
    Connection,
    Contact,
    ContactImport,
    Doubt,
    EarlierText,
    Export,
    InboundRule,
    Note,
    Operator,
    Outcome,
    Push,
    Routine,
    SavedView,
    Script,
    SyncState,
    Tag,
    UnusableRow,
    Verb,
    Walk,
    WallLink,
)
from connections_app.models.requests import Settled
from tests.factories import many, seen

LONG = "An error that goes on " * 20 + "https://api.example/" + "x" * 300
DRY_RUN, DONE = "6f1c0f6e-0000-4000-8000-000000000001", "6f1c0f6e-0000-4000-8000-000000000002"


def calls_in_every_state() -> None:
    many(118)
    started = {"start_time": "2026-05-10T02:28:17Z"}
    live = {"status": "connected", "direction": "incoming"} | started
    seen(
        {"connection_id": "a1", "status": "connecting", "to": "+14155550142", "direction": "incoming"},
        {"connection_id": "a2", "from": "webrtc:ana", "direction": "outgoing"} | live,
        {"connection_id": "a3", "status": "failed", "to": "+15554443333"} | started,
        {"connection_id": "a4", "client_data": {"<b>": "x" * 300}, "from": "+442079460018"} | started,
        {"connection_id": "a5", "to": "+12125550199"} | live,
        {"connection_id": "a6", "to": "webrtc:" + "long-name-" * 20} | live,
    )
    seen({"connection_id": "a2", "direction": "outgoing", "status": "connected"})
    Connection.objects.filter(connection_id="a2").update(direction="outgoing")
    Connection.objects.filter(connection_id="a5").update(doubt=Doubt.UNCONFIRMED)
    Connection.objects.filter(connection_id="a6").update(doubt=Doubt.LOST)


def walks_in_every_state() -> None:
    for number, state in enumerate(Walk.State):
        error = LONG if state == Walk.State.FAILED else ""
        ended = None if state == Walk.State.RUNNING else timezone.now()
        Walk.objects.create(
            full=number % 2 == 0, origin="schedule", fence=number, state=state, finished_at=ended, error=error
        )
    SyncState.objects.update_or_create(
        pk=1, defaults={"failing_since": timezone.now(), "error": LONG, "full_wanted": False}
    )
    UnusableRow.objects.create(
        digest="0", payload={"id": "x" * 300}, reason="Its status is not known.", last_seen_at=timezone.now()
    )


def what_else_the_admin_lists(operator: Operator) -> None:
    call = Connection.objects.get(connection_id="a1")
    script = Script.objects.create(
        connection=call, origin="pushed", commands=[{"name": "HangUp"}], preview="Hangs up.", dials=False
    )
    Push.objects.create(
        **sending(Outcome.ACCEPTED, operator), kind=Push.Kind.ROUTINE, connection=call, script=script
    )
    Operator.objects.create(username="newcomer", password="!")
    now = timezone.now()
    Callback.objects.create(
        digest="0",
        kind="status",
        connection=call,
        body={},
        status=200,
        first_at=now,
        last_at=now,
        milliseconds=3,
    )
    record(Verb.PUSH, Action.Phase.INTENT, operator, connection_id="a1", payload={"commands": "x" * 300})
    routine = Routine.objects.exclude(published=None).first()
    InboundRule.objects.create(name="Night", days="67", time_zone="Europe/Berlin", routine=routine)
    WallLink.objects.create(name="Floor 2", made_by=operator)
    contacts_in_every_state(operator)
    tags_and_notes(operator)


def tags_and_notes(operator: Operator) -> None:
    """Tags of every colour, on a call with notes that were changed and taken away, and on many at once."""
    now, name = timezone.now(), operator.username
    tags = [Tag.objects.create(name=f"{colour.label} tag", colour=colour, made_by=name) for colour in Colour]
    call = Connection.objects.get(connection_id="a4")
    for tag in tags:
        CallTag.objects.create(connection=call, tag=tag, at=call.at, tagged_by=name)
    written = {"connection": call, "author": operator, "author_name": name}
    changed = Note.objects.create(**written, text="Wants a refund.\n" + "x" * 300, edited_at=now)
    EarlierText.objects.create(note=changed, text="Wants two", replaced_by=name)
    Note.objects.create(**written, text="Gone", removed_at=now, removed_by=name)
    for state in BulkTagging.State:
        BulkTagging.objects.create(
            tag=tags[0],
            adds=True,
            operator=operator,
            operator_name=name,
            counted=9,
            state=state,
            query="q=415",
        )


def exports_in_every_state(owner: Operator) -> dict[str, int]:
    """One in each state, with its key."""
    now = timezone.now()
    for state in Export.State:
        Export.objects.create(
            owner=owner,
            format="csv",
            query="q=415&tag=Grey+tag&status=failed&status=finished&since=2026-05-01",
            columns=[],
            time_zone="America/Argentina/ComodRivadavia",
            name="calls_2026-05-01_2026-11-30.csv",
            counted=1_234_567,
            written=1_034_567,
            length=155_000_000,
            state=state,
            reason=LONG if state == Export.State.FAILED else "",
            working_since=now,
            ended_at=None if state in (Export.State.WAITING, Export.State.RUNNING) else now,
        )
    return {f"export_{one.state}": one.pk for one in Export.objects.all()}


def views_in_every_state(owner: Operator) -> str:
    """One's own, another's, and one that asks for a tag that is gone; the code of the latter."""
    other = Operator.objects.create_user("owner-" * 20, first_name="Maximiliane", last_name="x" * 100)
    SavedView.objects.create(name="Own view", query="q=415&status=finished", owner=owner)
    SavedView.objects.create(name="y" * 100, query="sort=longest&when=7d", owner=other, is_shared=True)
    return SavedView.objects.create(name="z" * 100, query="q=415&tag=gone", owner=owner, is_shared=True).code


def contacts_in_every_state(operator: Operator) -> None:
    notes, by = "Prefers mail. " * 40, {"changed_by": "ben"}
    Contact.objects.create(pk=900001, endpoint="+14155550199", name="Marked Lima", do_not_call=True, **by)
    Contact.objects.create(pk=900002, endpoint=f"webrtc:{'x' * 200}", name="y" * 200, notes=notes, **by)
    Contact.objects.bulk_create(
        Contact(endpoint=f"+1212555{n:04}", name=f"Name {n}", **by) for n in range(60)
    )
    file = {"owner": operator, "file_name": "people.csv", "ignored": ["e-mail"]}
    lines = [[2, "+14155550199", "Other", "", False], [3, "+14155550198", "New", "z" * 300, True]]
    ContactImport.objects.create(
        pk=DRY_RUN, lines=lines, bad=[[4, "12 Bad", "It is too short."]], merged=1, **file
    )
    result = dict.fromkeys(("new", "changed", "same", "merged", "bad", "marked", "unmarked"), 1)
    ContactImport.objects.create(pk=DONE, lines=[], bad=[], done_at=timezone.now(), result=result, **file)


def asked(outcome: Outcome, operator: Operator) -> object:
    """The id of a request to place a call that has this outcome."""
    made = CallRequest.objects.create(**sending(outcome, operator), phone_number="+14155550142")
    return made.request_id


def sending(outcome: Outcome, operator: Operator) -> dict[str, Any]:
    return {
        "request_id": uuid4(),
        "digest": "0",
        "contents": {"phone_number": "+14155550142"},
        "operator": operator,
        "operator_name": operator.username,
        "deadline": timezone.now() + DEADLINE + timedelta(hours=1),
        "outcome": outcome,
        "reason": "This number is blocked." if outcome == Outcome.REJECTED else "",
        "settled_by": Settled.ANSWER if outcome == Outcome.REJECTED else "",
    }
