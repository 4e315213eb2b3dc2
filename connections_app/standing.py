"""How calls stand for the person who looks: who placed them, what runs, and what may be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from connections_app.models import CallRequest, Connection, Operator, Outcome, Push, Script
from connections_app.rights import is_on_the_line, may_place

# So long Sift may take to end a call that it said it would.
HANGING_UP = timedelta(seconds=20)
# So long a refusal or an unknown outcome stands beside the controls; the timeline keeps it.
SHOWN_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Standing:
    """`runs` names the script that runs, or is to run, with `preview` in words; `problem` is what became of
    the last thing that was asked of the call, where it needs a person."""

    placed_by: str = ""
    runs: str = ""
    preview: str = ""
    may_steer: bool = False
    is_hanging_up: bool = False
    problem: str = ""


def standing_of(calls: Sequence[Connection], operator: Operator, now: datetime) -> dict[int, Standing]:
    """How each of `calls` stands, by its key. Three queries, however many calls."""
    keys = [call.pk for call in calls]
    requests = {
        request.connection_id: request
        for request in CallRequest.objects.filter(connection__in=keys).only(
            "connection_id", "operator_id", "operator_name"
        )
    }
    scripts = _running(keys)
    pushes = _last_pushes(keys)
    steers_all = operator.has_perm("connections_app.steer_any_call")
    steers_own = may_place(operator)
    found = {}
    for call in calls:
        request, script, push = requests.get(call.pk), scripts.get(call.pk), pushes.get(call.pk)
        is_own = (request is not None and request.operator_id == operator.pk) or is_on_the_line(
            operator, call
        )
        found[call.pk] = Standing(
            placed_by=request.operator_name if request else "",
            runs=str(script) if script else "",
            preview=script.preview if script else "",
            may_steer=steers_all or (steers_own and is_own),
            is_hanging_up=push is not None and _is_hanging_up(push, now),
            problem=_problem(push, now) if push else "",
        )
    return found


def _running(keys: Sequence[int]) -> dict[int | None, Script]:
    """The script in force for each call: nothing has superseded it."""
    scripts = (
        Script.objects.filter(Q(connection__in=keys) | Q(call_request__connection__in=keys))
        .filter(superseded_by=None)
        .select_related("call_request")
        .only("connection_id", "name", "preview", "call_request__connection_id")
        .order_by("pk")
    )
    return {script.connection_id or script.call_request.connection_id: script for script in scripts}


def _last_pushes(keys: Sequence[int]) -> dict[int, Push]:
    pushes = (
        Push.objects.filter(connection__in=keys)
        .order_by("connection", "-pk")
        .distinct("connection")
        .only("connection_id", "kind", "outcome", "reason", "asked_at", "deadline")
    )
    return {push.connection_id: push for push in pushes}


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
