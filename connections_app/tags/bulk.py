"""Add one tag to many calls, or remove it: the selected calls, or all that match a filter; and undo that.

The work is done in batches, in the order of the calls' keys. A batch, the cursor and the counts are one
transaction, so that interrupted work resumes at its cursor and changes no call twice. With each batch, a
worker updates `working_since`, and continues only if nobody else has: two workers at once do no harm.

All tagging locks rows in one order: the tag, the bulk tagging, the calls by their id (as the merging of
observations does), the calls' tags. This prevents deadlocks, and a call's time cannot change before it is
copied to the tag.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection as database
from django.db import transaction
from django.db.models import Count, Max
from django.http import QueryDict
from django.utils import timezone

from connections_app.access.permissions import check_may_tag
from connections_app.audit.log import record
from connections_app.call_list.filters import CallsForm, filtered
from connections_app.call_list.links import words
from connections_app.call_list.query import InvalidQuery, form_of
from connections_app.call_list.time_limits import TooSlow, within
from connections_app.models import Action, BulkTagging, Connection, Operator, Tag, Verb
from connections_app.models.connection import ConnectionQuerySet
from connections_app.tags.tagging import in_words
from connections_app.web import jobs
from connections_app.web.time_zones import Zone

State = BulkTagging.State

INLINE_LIMIT = 1_000  # calls that are tagged while the person waits; more, in the background
BATCH = 2_000
COUNT_TIMEOUT = timedelta(seconds=10)  # a person waits for the page
OPEN = (State.WAITING, State.RUNNING, State.UNDOING)
MAY_BE_STOPPED = (State.WAITING, State.RUNNING)
MAY_BE_UNDONE = (State.RUNNING, State.DONE, State.STOPPED, State.FAILED)

# Each statement selects the requested calls; it returns the last key, their number, and how many changed.
LOCKED = """
    locked AS MATERIALIZED (
        SELECT call.id, call.at FROM connections_app_connection AS call JOIN chosen USING (id)
        ORDER BY call.connection_id FOR NO KEY UPDATE OF call
    )
"""
OUTCOME = "SELECT (SELECT max(id) FROM chosen), (SELECT count(*) FROM chosen), (SELECT count(*) FROM changed)"
PUT_ON = f"""
    WITH chosen (id) AS MATERIALIZED ({{calls}}), {LOCKED},
    changed AS (
        INSERT INTO connections_app_calltag (connection_id, tag_id, at, tagged_by, tagged_at)
        SELECT id, %s, at, %s, %s FROM locked
        ON CONFLICT (connection_id, tag_id) DO NOTHING
        RETURNING connection_id, tagged_by, tagged_at
    ),
    kept AS (
        INSERT INTO connections_app_bulktagged (bulk_id, connection_id, tagged_by, tagged_at)
        SELECT %s, connection_id, tagged_by, tagged_at FROM changed
    )
    {OUTCOME}
"""  # noqa: S608
TAKE_OFF = f"""
    WITH chosen (id) AS MATERIALIZED ({{calls}}), {LOCKED},
    changed AS (
        DELETE FROM connections_app_calltag AS put USING locked
        WHERE put.connection_id = locked.id AND put.tag_id = %s
        RETURNING put.connection_id, put.tagged_by, put.tagged_at
    ),
    kept AS (
        INSERT INTO connections_app_bulktagged (bulk_id, connection_id, tagged_by, tagged_at)
        SELECT %s, connection_id, tagged_by, tagged_at FROM changed
    )
    {OUTCOME}
"""  # noqa: S608
LOCKED_TO_UNDO = LOCKED.replace("call.at", "call.at, chosen.tagged_by, chosen.tagged_at")
TO_UNDO = """
    SELECT connection_id, tagged_by, tagged_at FROM connections_app_bulktagged
    WHERE bulk_id = %s ORDER BY connection_id LIMIT %s
"""
FORGET = """
    forgotten AS (
        DELETE FROM connections_app_bulktagged
        WHERE bulk_id = %s AND connection_id <= (SELECT max(id) FROM chosen)
    )
"""
UNDO_PUTTING_ON = f"""
    WITH chosen (id, tagged_by, tagged_at) AS MATERIALIZED ({TO_UNDO}), {LOCKED_TO_UNDO}, {FORGET},
    changed AS (
        DELETE FROM connections_app_calltag AS put USING locked
        WHERE put.connection_id = locked.id AND put.tag_id = %s
        AND put.tagged_by = locked.tagged_by AND put.tagged_at = locked.tagged_at
        RETURNING 1
    )
    {OUTCOME}
"""  # noqa: S608
UNDO_TAKING_OFF = f"""
    WITH chosen (id, tagged_by, tagged_at) AS MATERIALIZED ({TO_UNDO}), {LOCKED_TO_UNDO}, {FORGET},
    changed AS (
        INSERT INTO connections_app_calltag (connection_id, tag_id, at, tagged_by, tagged_at)
        SELECT id, %s, at, tagged_by, tagged_at FROM locked
        ON CONFLICT (connection_id, tag_id) DO NOTHING
        RETURNING 1
    )
    {OUTCOME}
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Matching:
    """The exact number of calls that match a filter, the newest key of all calls at that time, and the filter
    in words (empty: every call)."""

    calls: int
    last_key: int
    words: str


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """Add `tag` to the calls with these `keys`, or remove it; None: all that match `query` in `time_zone`.

    `counted` is the number of calls that the person was shown.
    """

    tag: Tag
    adds: bool
    keys: list[int] | None
    query: str
    time_zone: str
    counted: int
    last_key: int


def matching(query: str, time_zone: str) -> Matching:
    """Count the calls that match `query`, a list's query string, in this zone. Raises `InvalidQuery`."""
    with timezone.override(Zone(time_zone)):
        form, calls = _calls(query)
    last_key = Connection.objects.aggregate(last=Max("pk"))["last"] or 0
    try:
        with within(COUNT_TIMEOUT):
            counted = calls.filter(pk__lte=last_key).order_by().aggregate(calls=Count("pk"))["calls"]
    except TooSlow:
        seconds = COUNT_TIMEOUT // timedelta(seconds=1)
        raise InvalidQuery(
            f"The calls could not be counted within {seconds} seconds. Tighten the filter, by a range of "
            "days for example."
        ) from None
    return Matching(counted, last_key, words(form, QueryDict(query)))


def begin(requested: BulkRequest, operator: Operator, address: str | None) -> BulkTagging:
    """Store and record the request, which `work` then carries out. Raises `PermissionDenied`."""
    check_may_tag(operator)
    with transaction.atomic():
        bulk = BulkTagging.objects.create(
            tag=requested.tag,
            adds=requested.adds,
            keys=requested.keys,
            query=requested.query,
            time_zone=requested.time_zone,
            counted=requested.counted,
            last_key=requested.last_key,
            operator=operator,
            operator_name=operator.get_username(),
        )
        _record(bulk, bulk_verb(bulk), Action.Phase.INTENT, operator, address=address)
    return bulk


def stop(bulk: BulkTagging, operator: Operator, address: str | None) -> bool:
    """Stop it after the current batch, and record `operator`. Returns True if it was waiting or running."""
    with transaction.atomic():
        stopped = BulkTagging.objects.filter(pk=bulk.pk, state__in=MAY_BE_STOPPED).update(
            state=State.STOPPED, ended_at=timezone.now(), working_since=None
        )
        bulk.refresh_from_db()
        if stopped:
            _record_outcome(bulk, operator, address)
    return bool(stopped)


def undo(bulk: BulkTagging, operator: Operator, address: str | None) -> bool:
    """Mark it to be undone by `work`, even if it is still running. Returns True if it can be undone."""
    with transaction.atomic():
        is_queued = BulkTagging.objects.filter(pk=bulk.pk, state__in=MAY_BE_UNDONE).update(
            state=State.UNDOING, ended_at=None, reason=""
        )
        bulk.refresh_from_db()
        if is_queued:
            _record(bulk, Verb.UNDO_TAGGING, Action.Phase.INTENT, operator, address=address)
    return bool(is_queued)


def unfinished() -> list[int]:
    """Return the keys of bulk taggings that no worker is running but that have not ended."""
    return jobs.unfinished(BulkTagging.objects.filter(state__in=OPEN))


def work(pk: int, stopping: threading.Event | None = None) -> None:
    """Run a bulk tagging to its end or until `stopping`; return at once if another worker runs it."""
    held = jobs.claim(BulkTagging.objects.filter(pk=pk, state__in=OPEN))
    while held:
        if stopping and stopping.is_set():
            BulkTagging.objects.filter(pk=pk, working_since=held).update(working_since=None)
            return
        held = _next_batch(pk, held)


def bulk_verb(bulk: BulkTagging) -> Verb:
    """Return the audit verb of a bulk tagging."""
    return Verb.TAG if bulk.adds else Verb.UNTAG


def _calls(query: str) -> tuple[CallsForm, ConnectionQuerySet]:
    """Return the filter of a query string and its calls, in the active time zone. Raises `InvalidQuery`."""
    form = form_of(QueryDict(query))
    return form, filtered(form)


@transaction.atomic
def _next_batch(pk: int, held: datetime) -> datetime | None:
    """Run one batch. Returns the new `working_since`; None after the last batch, or if the claim was lost."""
    bulk = _locked(pk, held)
    if bulk is None:
        return None
    if bulk.state == State.UNDOING:
        _undo_batch(bulk)
    else:
        _tag_batch(bulk)
    is_over = bulk.state not in OPEN
    bulk.working_since = None if is_over else timezone.now()
    bulk.ended_at = timezone.now() if is_over else None
    bulk.save()
    if is_over:
        _record_outcome(bulk, None if bulk.state == State.UNDONE else bulk.operator)
    return bulk.working_since


def _locked(pk: int, held: datetime) -> BulkTagging | None:
    """Lock the bulk tagging and its tag; return None if it was deleted, has ended, or has another worker."""
    tags = BulkTagging.objects.filter(pk=pk).values("tag")
    tag = Tag.objects.select_for_update(no_key=True).filter(pk__in=tags).first()
    ours = BulkTagging.objects.select_for_update().filter(pk=pk, working_since=held, state__in=OPEN)
    return ours.first() if tag else None


def _tag_batch(bulk: BulkTagging) -> None:
    bulk.state = State.RUNNING
    try:
        calls, parameters = _next_calls(bulk)
    except InvalidQuery as problem:
        bulk.state, bulk.reason = State.FAILED, str(problem)
        return
    except EmptyResultSet:
        bulk.state = State.DONE
        return
    if bulk.adds:
        values = [*parameters, bulk.tag_id, bulk.operator_name, timezone.now(), bulk.pk]
        last, count, changed = _run(PUT_ON.format(calls=calls), values)
    else:
        last, count, changed = _run(TAKE_OFF.format(calls=calls), [*parameters, bulk.tag_id, bulk.pk])
    bulk.cursor = last or bulk.cursor
    bulk.seen += count
    bulk.changed += changed
    if count < BATCH:
        bulk.state = State.DONE


def _next_calls(bulk: BulkTagging) -> tuple[str, Sequence[Any]]:
    """Return SQL for the next keys, and its values. Raises `InvalidQuery` and `EmptyResultSet`."""
    if bulk.keys is None:
        with timezone.override(Zone(bulk.time_zone)):
            _, calls = _calls(bulk.query)
    else:
        calls = Connection.objects.filter(pk__in=bulk.keys)
    following = calls.filter(pk__gt=bulk.cursor, pk__lte=bulk.last_key).order_by("pk")
    return following.values("pk")[:BATCH].query.sql_with_params()


def _undo_batch(bulk: BulkTagging) -> None:
    statement = UNDO_PUTTING_ON if bulk.adds else UNDO_TAKING_OFF
    _, count, changed = _run(statement, [bulk.pk, BATCH, bulk.pk, bulk.tag_id])
    bulk.undone += changed
    if count < BATCH:
        bulk.state = State.UNDONE


def _run(statement: str, values: Sequence[Any]) -> tuple[int | None, int, int]:
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        last, count, changed = cursor.fetchone()
    return last, count, changed


def _record_outcome(bulk: BulkTagging, operator: Operator | None, address: str | None = None) -> None:
    """Record the result, as an action of `operator`."""
    verb = bulk_verb(bulk)
    if bulk.state == State.UNDONE:
        verb, words = Verb.UNDO_TAGGING, f"Undone on {in_words(bulk.undone)}."
    else:
        what = "Put on" if bulk.adds else "Taken off"
        end = {State.STOPPED: " Stopped before the end.", State.FAILED: f" Failed: {bulk.reason}"}
        words = f"{what} {in_words(bulk.changed)}.{end.get(State(bulk.state), '')}"
    _record(bulk, verb, Action.Phase.OUTCOME, operator, address=address, outcome=words)


def _record(
    bulk: BulkTagging,
    verb: Verb,
    phase: Action.Phase,
    actor: Operator | None,
    *,
    address: str | None = None,
    outcome: str = "",
) -> None:
    record(
        verb,
        phase,
        actor,
        address=address,
        subject=f"tagging {bulk.pk}",
        payload={
            "tag": str(bulk.tag),
            "calls": bulk.counted,
            "query": bulk.query,
            "time_zone": bulk.time_zone,
            "selected": bulk.keys is not None,
        },
        outcome=outcome,
    )
