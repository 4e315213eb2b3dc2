"""Answer a done callback: a command has ended, and a saved routine may follow on what was keyed or said."""

import logging

from django.db import transaction
from django.db.models import Value

from connections_app.calls import scripts
from connections_app.calls.dialling import NotDialled
from connections_app.calls.scripts import NotUsable
from connections_app.hooks.received import Answered, Received, Refused, WrongToken
from connections_app.models import Callback, Connection, Origin, RoutineVersion, Script, Step, TokenDigest
from connections_app.models.connection import IN_PROGRESS
from connections_app.sift.commands import ANYTHING_ELSE, caller_input

logger = logging.getLogger(__name__)


def answer_done(received: Received) -> Answered:
    """Store what was keyed or said, and answer with the routine that follows while the script is in force.

    The same callback gets the same answer, but a routine that dials is sent once. At most four statements.
    Raises `WrongToken`.
    """
    with transaction.atomic():
        step = _step_of(received.token)
        call = _call_of(step.script)
        try:
            answered = _answer(step, call, received)
        except Refused as refused:
            answered = refused.answered
        received.keep(
            Callback.Kind.DONE,
            answered,
            connection_id=call.connection_id if call else None,
            call_request=getattr(getattr(step.script, "call_request", None), "pk", None),
            step=step.pk,
        )
    return answered


def _step_of(token: str) -> Step:
    """Return the step of this token, locked with its script, so that only one continuation supersedes it."""
    step = (
        Step.objects.alias(by=TokenDigest("token"))
        .filter(by=TokenDigest(Value(token)))
        .select_related("script__connection", "script__call_request__connection", "script__superseded_by")
        .defer("script__connection__raw", "script__call_request__connection__raw", "script__commands")
        .select_for_update(of=("self", "script"))
        .first()
    )
    if step is None:
        raise WrongToken
    return step


def _call_of(script: Script) -> Connection | None:
    request = getattr(script, "call_request", None)
    return script.connection or (request.connection if request else None)


def _answer(step: Step, call: Connection | None, received: Received) -> Answered:
    """Return the answer and make its script. Raises `Refused` before anything is written."""
    connection_id = received.body.get("connection_id")
    if call and connection_id not in (None, call.connection_id):
        raise Refused(404, "This address belongs to another call.")
    if step.script.superseded_by_id is not None:
        return _repeated_answer(step, received)
    answer = caller_input(received.body)
    following = step.then.get(answer, step.then.get(ANYTHING_ELSE))
    version_id = step.script.versions.get(str(following))
    if call is None or call.status not in IN_PROGRESS or version_id is None:
        return Answered()
    version = RoutineVersion.objects.select_related("routine").get(pk=version_id)
    try:
        request = scripts.routine_version(version, step.script.values, step.script.versions)
    except NotUsable as problem:
        logger.error("Nothing went on after step %s: %s", step.pk, problem)
        return Answered()
    confirmed = step.script.confirmed
    try:
        made = scripts.make(
            request, Origin.CONTINUATION, connection=call.pk, step=step.pk, given=True, confirmed=confirmed
        )
    except NotDialled as reason:
        return Answered.not_dialling(reason)
    received.claimed.script = made.pk if made else None
    return Answered.with_routine(made.commands if made else None)


def _repeated_answer(step: Step, received: Received) -> Answered:
    """Answer a callback of a superseded script: as before, if that script still runs and dials nobody."""
    following = Script.objects.get(superseded=step.script)
    is_what_runs = following.step_id == step.pk and following.superseded_by_id is None
    if not is_what_runs or following.dials:
        return Answered()
    is_the_same = Callback.objects.filter(digest=received.digest).exists()
    return Answered.with_routine(following.commands if is_the_same else None)
