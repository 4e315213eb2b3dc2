"""The state of calls: operator, script, outcome of the last push, and what a person may do."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connections_app.access.permissions import ON_THE_LINE, may_place, may_steer_any
from connections_app.calls.contact_lookup import Named
from connections_app.calls.scripts import IN_FORCE
from connections_app.models import Connection, Operator, Outcome, Push, Status
from connections_app.models.case_folding import folded
from connections_app.models.script import Origin

HANG_UP_PATIENCE = timedelta(seconds=20)  # Sift accepts a hang-up before it ends the call
PROBLEM_SHOWN_FOR = timedelta(minutes=10)  # next to the controls; the timeline keeps the problem

# Plain SQL, since building this query in the ORM took as long as running it.
CALL_STATES = f"""
    SELECT call.id, call.connection_id, call.status, call.direction, call.started_at, call.ended_at,
           call.from_endpoint, call.to_endpoint, call.doubt, call.first_seen_at, call.change_number,
           call.at, call.talk_seconds, call.party, contact.name AS contact_name, contact.do_not_call,
           {folded("call.from_endpoint")} AS caller_key, {folded("call.to_endpoint")} AS callee_key,
           ARRAY({ON_THE_LINE} ORDER BY id) AS on_the_line, request.operator_id, request.operator_name,
           script.name AS script_name, script.preview, script.origin AS script_origin,
           script.settled_at AS script_settled_at, script.outcome AS script_outcome,
           script.asked_at AS script_asked_at, script.deadline AS script_deadline,
           push.kind AS asked_kind, push.outcome AS asked_outcome, push.reason AS asked_reason,
           push.asked_at, push.deadline AS asked_deadline
    FROM connections_app_connection AS call
    LEFT JOIN connections_app_callrequest AS request ON request.connection_id = call.id
    LEFT JOIN connections_app_contact AS contact ON {folded("contact.endpoint")} = call.party
    LEFT JOIN LATERAL (
        SELECT script.name, script.preview, script.origin, script.settled_at, handed.outcome,
               handed.asked_at, handed.deadline
        FROM connections_app_script AS script
        LEFT JOIN connections_app_push AS handed ON handed.script_id = script.id
        -- The script that a call was placed with names the request, not the call.
        WHERE (script.connection_id = call.id OR script.id = request.script_id)
            AND {IN_FORCE.replace("%(call)s", "call.id")}
        ORDER BY script.id DESC LIMIT 1
    ) AS script ON true
    LEFT JOIN LATERAL (
        SELECT kind, outcome, reason, asked_at, deadline FROM connections_app_push
        WHERE connection_id = call.id ORDER BY id DESC LIMIT 1
    ) AS push ON true
    WHERE call.id = ANY(%s)
    ORDER BY call.at, call.id
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class CallState:
    """What every viewer sees. `on_the_line` holds the keys of operators whose browser client is on the call.

    `routine` is the script in force, None if there is none or it hangs up; `problem` describes the outcome of
    the last push if a person has to act on it.
    """

    placed_by: str = ""
    operator_id: int | None = None
    on_the_line: tuple[int, ...] = ()
    routine: "ScriptInForce | None" = None
    is_hanging_up: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ScriptInForce:
    """The script in force: its name, what it does in words, and in `note` what is known of whether it runs.

    `note` is empty only if Sift received the script while the call was connected.
    """

    name: str
    preview: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ShownCall:
    """A call with its state, whether it is the viewer's own, and whether they may steer it."""

    call: Connection
    state: CallState
    is_mine: bool
    may_steer: bool

    def context(self) -> dict[str, Any]:
        """Return the template context for one call: `call`, `state`, `is_mine`, `may_steer`."""
        return {
            "call": self.call,
            "state": self.state,
            "is_mine": self.is_mine,
            "may_steer": self.may_steer,
        }


def with_state(keys: Iterable[int]) -> list[Connection]:
    """Return the calls with these keys, longest first, with what `state_of` and templates need. One query."""
    calls: list[Any] = list(Connection.objects.raw(CALL_STATES, [list(keys)]))
    for call in calls:
        if call.contact_name is not None:
            named = Named(call.contact_name, call.do_not_call)
            ends = ((call.from_endpoint, call.caller_key), (call.to_endpoint, call.callee_key))
            call.contacts = {end: named for end, key in ends if key == call.party}
    return calls


def state_of(call: Connection, now: datetime) -> CallState:
    """Return the state at `now` of a call from `with_state`. No query."""
    row: Any = call
    push = _push(row) if row.asked_kind else None
    return CallState(
        placed_by=row.operator_name or "",
        operator_id=row.operator_id,
        on_the_line=tuple(row.on_the_line),
        routine=_in_force(row, now),
        is_hanging_up=_is_hanging_up(row, now),
        problem=_problem(push, now) if push else "",
    )


def shown_to(operator: Operator, calls: Iterable[Connection], now: datetime) -> list[ShownCall]:
    """Return calls from `with_state` as `operator` sees them. Queries only the operator's permissions."""
    steers_all = may_steer_any(operator)
    steers_own = may_place(operator)
    shown = []
    for call in calls:
        state = state_of(call, now)
        is_mine = operator.pk in (state.operator_id, *state.on_the_line)
        shown.append(ShownCall(call, state, is_mine, steers_all or (steers_own and is_mine)))
    return shown


def shown_to_all(calls: Iterable[Connection], now: datetime) -> list[ShownCall]:
    """Return calls from `with_state` without regard to a viewer. No query."""
    return [ShownCall(call, state_of(call, now), is_mine=False, may_steer=True) for call in calls]


def shown_one(operator: Operator, pk: int, now: datetime) -> ShownCall:
    """Return the call with key `pk` as `operator` sees it at `now`. One query."""
    return shown_to(operator, with_state([pk]), now)[0]


def _in_force(row: Any, now: datetime) -> ScriptInForce | None:
    """Return the routine in force for a call in progress, from a row of `CALL_STATES`."""
    if row.preview is None or row.script_origin == Origin.HANG_UP or not row.is_in_progress:
        return None
    return ScriptInForce(row.script_name or row.preview, row.preview, _note(row, now))


def _note(row: Any, now: datetime) -> str:
    """Return whether the script in force runs, in words; empty if Sift received it for a connected call."""
    match _outcome(row, now):
        case Outcome.SENDING:
            return "being sent"
        case Outcome.UNKNOWN:
            return "may be running"
    if row.status == Status.CONNECTING:
        return "starts when answered"
    return "" if row.script_settled_at else "not sent yet"


def _outcome(row: Any, now: datetime) -> Outcome | None:
    """Return the outcome of the push that sent the script in force to Sift; None if no push sent it."""
    if row.script_outcome is None:
        return None
    return Push(outcome=row.script_outcome, deadline=row.script_deadline).outcome_at(now)


def _is_hanging_up(row: Any, now: datetime) -> bool:
    return (
        row.script_origin == Origin.HANG_UP
        and _outcome(row, now) in (Outcome.SENDING, Outcome.ACCEPTED)
        and now - row.script_asked_at < HANG_UP_PATIENCE
    )


def _push(row: Any) -> Push:
    """Return the last push to the call."""
    return Push(
        kind=row.asked_kind,
        outcome=row.asked_outcome,
        reason=row.asked_reason,
        asked_at=row.asked_at,
        deadline=row.asked_deadline,
    )


def _problem(push: Push, now: datetime) -> str:
    if now - push.asked_at > PROBLEM_SHOWN_FOR:
        return ""
    what = "The hang-up" if push.kind == Push.Kind.HANG_UP else "The routine"
    match push.outcome_at(now):
        case Outcome.REJECTED if push.kind == Push.Kind.NOT_DIALLED:
            return push.reason
        case Outcome.REJECTED:
            return f"{what} was refused: {push.reason}"
        case Outcome.UNKNOWN:
            return f"{what} may or may not have reached Sift. {push.reason}"
        case Outcome.ACCEPTED if push.kind == Push.Kind.HANG_UP and now - push.asked_at >= HANG_UP_PATIENCE:
            return "Sift took the hang-up, but still lists the call as in progress."
    return ""
