"""How calls stand: who placed them, what runs, what became of the last thing asked, and what one may do."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connections_app.models import Connection, Operator, Outcome, Push
from connections_app.naming import Named
from connections_app.rights import is_on_the_line, may_place

# So long Sift may take to end a call that it said it would.
HANGING_UP = timedelta(seconds=20)
# So long a refusal or an unknown outcome stands beside the controls; the timeline keeps it.
SHOWN_FOR = timedelta(minutes=10)

# Written out, since putting it together anew took as long as asking it.
STANDING = """
    SELECT call.id, call.connection_id, call.status, call.direction, call.started_at, call.ended_at,
           call.from_endpoint, call.to_endpoint, call.doubt, call.first_seen_at, call.change_number,
           call.at, call.talk_seconds, call.party, contact.name AS contact_name, contact.do_not_call,
           request.operator_id, request.operator_name,
           coalesce(pushed.name, placed.name) AS runs, coalesce(pushed.preview, placed.preview) AS preview,
           push.kind AS asked_kind, push.outcome AS asked_outcome, push.reason AS asked_reason, push.asked_at,
           push.deadline AS asked_deadline
    FROM connections_app_connection AS call
    LEFT JOIN connections_app_callrequest AS request ON request.connection_id = call.id
    LEFT JOIN connections_app_contact AS contact ON lower(contact.endpoint) = call.party
    -- The script that a call was placed with names the request, not the call.
    LEFT JOIN connections_app_script AS placed
        ON placed.id = request.script_id AND placed.superseded_by_id IS NULL
    LEFT JOIN LATERAL (
        SELECT name, preview FROM connections_app_script
        WHERE connection_id = call.id AND superseded_by_id IS NULL ORDER BY id DESC LIMIT 1
    ) AS pushed ON true
    LEFT JOIN LATERAL (
        SELECT kind, outcome, reason, asked_at, deadline FROM connections_app_push
        WHERE connection_id = call.id ORDER BY id DESC LIMIT 1
    ) AS push ON true
    WHERE call.id = ANY(%s)
    ORDER BY call.at, call.id
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for everybody. `runs` names the script that runs, or is to run, with `preview` in words;
    `problem` is what became of the last thing that was asked of the call, where it needs a person."""

    placed_by: str = ""
    operator_id: int | None = None
    runs: str = ""
    preview: str = ""
    is_hanging_up: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A call with how it stands, for one person: whether it is theirs, and whether they may steer it."""

    call: Connection
    standing: Standing
    is_mine: bool
    may_steer: bool

    def context(self) -> dict[str, Any]:
        """For templates that show one call: `call`, `standing`, `is_mine`, `may_steer`."""
        return {
            "call": self.call,
            "standing": self.standing,
            "is_mine": self.is_mine,
            "may_steer": self.may_steer,
        }


def with_standing(keys: Iterable[int]) -> list[Connection]:
    """The calls with these keys, longest first, with what `standing_of` needs, and whose the other side is.

    One query.
    """
    calls: list[Any] = list(Connection.objects.raw(STANDING, [list(keys)]))
    for call in calls:
        if call.contact_name is not None:
            call.contacts = {call.party: Named(call.contact_name, call.do_not_call)}
    return calls


def standing_of(call: Connection, now: datetime) -> Standing:
    """How a call from `with_standing` stands at `now`. No query."""
    told: Any = call
    push = _push(told) if told.asked_kind else None
    return Standing(
        placed_by=told.operator_name or "",
        operator_id=told.operator_id,
        runs=told.runs or told.preview or "",
        preview=told.preview or "",
        is_hanging_up=push is not None and _is_hanging_up(push, now),
        problem=_problem(push, now) if push else "",
    )


def shown_to(operator: Operator, calls: Iterable[Connection], now: datetime) -> list[Shown]:
    """Calls from `with_standing`, as they stand for `operator`. No query but for the operator's rights."""
    steers_all = operator.has_perm("connections_app.steer_any_call")
    steers_own = may_place(operator)
    shown = []
    for call in calls:
        standing = standing_of(call, now)
        is_mine = standing.operator_id == operator.pk or is_on_the_line(operator, call)
        shown.append(Shown(call, standing, is_mine, steers_all or (steers_own and is_mine)))
    return shown


def shown_to_all(calls: Iterable[Connection], now: datetime) -> list[Shown]:
    """Calls from `with_standing`, for nobody in particular. No query."""
    return [Shown(call, standing_of(call, now), is_mine=False, may_steer=True) for call in calls]


def shown_one(operator: Operator, pk: int, now: datetime) -> Shown:
    """One call as it stands now. One query."""
    return shown_to(operator, with_standing([pk]), now)[0]


def _push(told: Any) -> Push:
    """The last thing that was asked of the call."""
    return Push(
        kind=told.asked_kind,
        outcome=told.asked_outcome,
        reason=told.asked_reason,
        asked_at=told.asked_at,
        deadline=told.asked_deadline,
    )


def _is_hanging_up(push: Push, now: datetime) -> bool:
    return (
        push.kind == Push.Kind.HANG_UP
        and push.outcome_at(now) in (Outcome.SENDING, Outcome.ACCEPTED)
        and now - push.asked_at < HANGING_UP
    )


def _problem(push: Push, now: datetime) -> str:
    if now - push.asked_at > SHOWN_FOR:
        return ""
    what = "The hang-up" if push.kind == Push.Kind.HANG_UP else "The routine"
    match push.outcome_at(now):
        case Outcome.REJECTED:
            return f"{what} was refused: {push.reason}"
        case Outcome.UNKNOWN:
            return f"{what} may or may not have reached Sift. {push.reason}"
        case Outcome.ACCEPTED if push.kind == Push.Kind.HANG_UP and now - push.asked_at >= HANGING_UP:
            return "Sift took the hang-up, but still lists the call as in progress."
    return ""
