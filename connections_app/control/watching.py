"""Each second: expire unanswered requests, read new calls without callbacks, and send them their scripts."""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import connection as database
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from connections_app.audit.log import record
from connections_app.calls import dialling, refresh
from connections_app.calls.ingest import ingest
from connections_app.calls.notify import announce
from connections_app.calls.request_matching import match_by_list, unbound
from connections_app.calls.scripts import MAY_BE_GIVEN
from connections_app.control import settling, steering
from connections_app.control.requests import DEADLINE
from connections_app.models import (
    Action,
    CallRequest,
    Connection,
    Outcome,
    Push,
    Script,
    Source,
    Status,
    Verb,
)
from connections_app.models.connection import IN_PROGRESS
from connections_app.sift.client import SiftClient
from connections_app.sift.errors import SiftError
from connections_app.sift.payloads import Observation
from connections_app.sift.placeholders import JSONObject

# For this time after it was placed or steered, a call is read each second.
READ_AFTER_PLACING = timedelta(minutes=1)
READ_AFTER_PUSH = timedelta(seconds=15)
READ_INTERVAL = timedelta(seconds=0.9)  # less than the second between two rounds
MAX_CONCURRENT = 8
MAX_PER_ROUND = 50
# After earlier callbacks, the one for the connected call, which fetches its script, may be in transit.
GRACE = timedelta(seconds=5)

CLAIM = f"""
    UPDATE connections_app_script AS script
    SET settled_at = clock_timestamp(), offered_at = clock_timestamp()
    WHERE script.id = %(script)s AND script.offered_at IS NULL AND {MAY_BE_GIVEN}
    RETURNING script.commands, script.confirmed, script.id
"""  # noqa: S608


def watch(client: SiftClient) -> None:
    """Run one round. Requests to Sift use `client`, in a few threads, while no transaction is open."""
    now = timezone.now()
    settling.expire(now)
    read_due_calls(client, now)
    waiting = unbound(now)
    if _claimed_requests(waiting, now):
        _read_head(client)
    if waiting:
        match_by_list(waiting)
    set_scripts(client)


def read_due_calls(client: SiftClient, now: datetime) -> None:
    """Read again, one by one, the calls of which neither callbacks nor the sync report within a second."""
    due = _claimed(now)
    if not due:
        return
    database.close()
    try:
        with ThreadPoolExecutor(MAX_CONCURRENT) as threads:
            observed = [one for one in threads.map(lambda name: _retrieve(client, name), due.values()) if one]
        ingest(observed, Source.RETRIEVE)
    finally:
        refresh.release(due)


def set_scripts(client: SiftClient) -> None:
    """Set the script of each connected call whose callbacks do not request it."""
    claimed = [one for one in map(_claim, _waiting(timezone.now())) if one]
    if not claimed:
        return
    database.close()
    with ThreadPoolExecutor(MAX_CONCURRENT) as threads:
        outcomes = list(threads.map(lambda one: steering.send(*one), claimed))
    for (push, _), outcome in zip(claimed, outcomes, strict=True):
        steering.finish(push, outcome)


def _claimed(now: datetime) -> dict[int, str]:
    """Claim the calls to read now, so that no other process reads them. Returns their ids by primary key."""
    silent = CallRequest.objects.filter(
        Q(looked_at=None) | Q(looked_at__lt=now - READ_INTERVAL),
        called_back_at=None,
        asked_at__gt=now - READ_AFTER_PLACING,
        connection__status__in=IN_PROGRESS,
    )
    requests = dict(silent.values_list("pk", "connection_id")[:MAX_PER_ROUND])
    taken = {requests[pk] for pk in requests if silent.filter(pk=pk).update(looked_at=now)}
    steered = Push.objects.filter(
        Q(connection__call_request=None) | Q(connection__call_request__called_back_at=None),
        Q(connection__reading=None) | Q(connection__reading__read_at__lt=now - READ_INTERVAL),
        outcome=Outcome.ACCEPTED,
        answered_at__gt=now - READ_AFTER_PUSH,
        connection__status__in=IN_PROGRESS,
    ).values_list("connection_id", flat=True)
    claimed = refresh.claim({*taken, *steered[:MAX_PER_ROUND]})
    return dict(Connection.objects.filter(pk__in=claimed).values_list("pk", "connection_id"))


def _retrieve(client: SiftClient, connection_id: str) -> Observation | None:
    try:
        observed = client.retrieve(connection_id)
    except SiftError:
        return None  # The next round, or the sync, retries.
    is_it = isinstance(observed, Observation) and observed.connection_id == connection_id
    return observed if is_it else None  # type: ignore[return-value]


def _claimed_requests(waiting: Iterable[CallRequest], now: datetime) -> bool:
    """Claim the requests of the last minute whose call is not known. Returns True if any was free."""
    recent = [request.pk for request in waiting if request.asked_at > now - READ_AFTER_PLACING]
    free = CallRequest.objects.filter(Q(looked_at=None) | Q(looked_at__lt=now - READ_INTERVAL), pk__in=recent)
    return bool(recent) and free.update(looked_at=now) > 0


def _read_head(client: SiftClient) -> None:
    """Read and save the newest calls of Sift's list."""
    database.close()
    try:
        page = client.list_page(client.list_url)
    except SiftError:
        return  # The next round, or the sync, retries.
    ingest(page.observations, Source.LIST)


def _waiting(now: datetime) -> list[CallRequest]:
    return list(
        CallRequest.objects.filter(
            Q(called_back_at=None) | Q(connection__changed_at__lt=now - GRACE),
            script__offered_at=None,
            script__settled_at=None,
            script__superseded_by=None,
            script__origin="placed",
            script__made_at__gt=now - timedelta(days=1),
            connection__status=Status.CONNECTED,
        ).select_related("connection")[:MAX_PER_ROUND]
    )


def _claim(request: CallRequest) -> tuple[Push, list[JSONObject]] | None:
    """Claim the script for sending, and record it, in one transaction. Returns None if it is not in force."""
    connection: Connection = request.connection  # type: ignore[assignment]
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(CLAIM, {"script": request.script_id, "call": connection.pk})
        row = cursor.fetchone()
        if row is None:
            return None
        commands, confirmed, script = json.loads(row[0]), row[1], row[2]
        if reason := _reason_to_withhold(commands, confirmed):
            _withhold(connection, script, reason)
            return None
        push = _create_push(connection, script, Push.Kind.FALLBACK)
        record(
            Verb.PUSH,
            Action.Phase.INTENT,
            None,
            connection_id=connection.connection_id,
            subject=str(push.request_id),
            payload={"why": "No callback asked for the script of this call."},
        )
    return push, commands


def _create_push(connection: Connection, script: int, kind: Push.Kind, **fields: Any) -> Push:
    return Push.objects.create(
        request_id=uuid4(),
        operator_name="",
        deadline=timezone.now() + DEADLINE,
        kind=kind,
        connection=connection,
        script_id=script,
        **fields,
    )


def _reason_to_withhold(commands: list[JSONObject], confirmed: list[str]) -> str:
    """Return why the commands may not be sent: they dial what has since been marked “do not call”."""
    found = dialling.marked(dialling.endpoints_in(commands), confirmed)
    return " ".join(one.words for one in found if not one.is_confirmed)


def _withhold(connection: Connection, script: int, reason: str) -> None:
    """Release a claimed script, and record on the call and in the audit log that Sift does not get it."""
    Script.objects.filter(pk=script).update(offered_at=None)
    words = f"The routine was not given to Sift: {reason}"
    now = timezone.now()
    push = _create_push(
        connection, script, Push.Kind.NOT_DIALLED, outcome=Outcome.REJECTED, reason=words, answered_at=now
    )
    record(
        Verb.NOT_DIALLED,
        Action.Phase.OUTCOME,
        None,
        connection_id=connection.connection_id,
        subject=str(push.request_id),
        outcome=words,
    )
    announce([connection.pk])
