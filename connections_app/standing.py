"""How calls stand: who placed them, what runs, what became of the last thing asked, and what one may do."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import JSONField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject
from django.utils.dateparse import parse_datetime

from connections_app.models import CallRequest, Connection, Operator, Outcome, Push, Script
from connections_app.models.connection import ConnectionQuerySet
from connections_app.rights import is_on_the_line, may_place

# So long Sift may take to end a call that it said it would.
HANGING_UP = timedelta(seconds=20)
# So long a refusal or an unknown outcome stands beside the controls; the timeline keeps it.
SHOWN_FOR = timedelta(minutes=10)


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


def with_standing(calls: ConnectionQuerySet) -> ConnectionQuerySet:
    """`calls` with what `standing_of` needs, in the same one query."""
    request = CallRequest.objects.filter(connection=OuterRef("pk"))
    script = JSONObject(name="name", preview="preview")
    in_force = Script.objects.filter(superseded_by=None)
    return calls.for_rows().annotate(
        request=_one(request.values(told=JSONObject(operator="operator_id", name="operator_name"))),
        script=Coalesce(
            _one(in_force.filter(connection=OuterRef("pk")).order_by("-pk").values(told=script)),
            # The one that the call was placed with does not name it.
            _one(in_force.filter(call_request__connection=OuterRef("pk")).values(told=script)),
        ),
        push=_one(
            Push.objects.filter(connection=OuterRef("pk"))
            .order_by("-pk")
            .values(
                told=JSONObject(
                    kind="kind", outcome="outcome", reason="reason", asked_at="asked_at", deadline="deadline"
                )
            )
        ),
    )


def standing_of(call: Connection, now: datetime) -> Standing:
    """How a call from `with_standing` stands at `now`. No query."""
    told: Any = call
    request, script = told.request or {}, told.script or {}
    push = _push(dict(told.push)) if told.push else None
    return Standing(
        placed_by=request.get("name", ""),
        operator_id=request.get("operator"),
        runs=script.get("name") or script.get("preview", ""),
        preview=script.get("preview", ""),
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
    return shown_to(operator, [with_standing(Connection.objects.filter(pk=pk)).get()], now)[0]


def _one(rows: QuerySet[Any, Any]) -> Subquery:
    return Subquery(rows[:1], output_field=JSONField())


def _push(told: dict[str, str]) -> Push:
    """The last thing that was asked of the call."""
    moments = {name: parse_datetime(told.pop(name)) for name in ("asked_at", "deadline")}
    return Push(**told, **moments)


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
