"""Each second: settle what waits too long, look at new calls that no callback tells of, and give them their
script."""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import connection as database
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from connections_app.control import settling, steering
from connections_app.control.asking import DEADLINE
from connections_app.ingest import ingest
from connections_app.models import Action, CallRequest, Connection, Outcome, Push, Source, Status, Verb
from connections_app.models.connection import IN_PROGRESS
from connections_app.recording import record
from connections_app.scripts import IN_FORCE
from connections_app.sift.client import SiftClient
from connections_app.sift.errors import SiftError
from connections_app.sift.payloads import Observation
from connections_app.sift.routine import JSONObject

# A placed call is looked at each second for so long, and a call that was steered.
FIRST_MINUTE = timedelta(minutes=1)
AFTER_PUSH = timedelta(seconds=15)
EACH = timedelta(seconds=0.9)
AT_ONCE = 8
MOST = 50
# A callback about the connected call may still be under way, where others came.
GRACE = timedelta(seconds=5)

CLAIM = f"""
    UPDATE connections_app_script AS script
    SET settled_at = clock_timestamp(), offered_at = clock_timestamp()
    WHERE script.id = %(script)s AND script.offered_at IS NULL AND {IN_FORCE}
    RETURNING script.commands
"""  # noqa: S608


def watch(client: SiftClient) -> None:
    """One round. Sift is asked over `client`, in a few threads; no transaction is open meanwhile."""
    now = timezone.now()
    settling.expire(now)
    look(client, now)
    waiting = settling.unbound(now)
    if waiting:
        _read_head(client, waiting, now)
        settling.match_by_list(waiting)
    give_scripts(client)


def look(client: SiftClient, now: datetime) -> None:
    """Read again, one by one, the calls of which nobody else would tell us within a second."""
    due = _claimed(now)
    if not due:
        return
    database.close()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        told = [one for one in threads.map(lambda name: _retrieve(client, name), due) if one]
    ingest(told, Source.RETRIEVE)


def give_scripts(client: SiftClient) -> None:
    """Set the script of each connected call whose callbacks do not ask for it."""
    claimed = [one for one in map(_claim, _waiting(timezone.now())) if one]
    if not claimed:
        return
    database.close()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        outcomes = list(threads.map(lambda one: steering.send(*one), claimed))
    for (push, _), outcome in zip(claimed, outcomes, strict=True):
        steering.finish(push, outcome)


def _claimed(now: datetime) -> list[str]:
    """The ids of the calls to look at now; another round that runs at the same time takes others."""
    silent = CallRequest.objects.filter(
        Q(looked_at=None) | Q(looked_at__lt=now - EACH),
        called_back_at=None,
        asked_at__gt=now - FIRST_MINUTE,
        connection__status__in=IN_PROGRESS,
    )
    ids = dict(silent.values_list("pk", "connection__connection_id")[:MOST])
    taken = [pk for pk in ids if silent.filter(pk=pk).update(looked_at=now)]
    steered = Push.objects.filter(
        Q(connection__call_request=None) | Q(connection__call_request__called_back_at=None),
        outcome=Outcome.ACCEPTED,
        answered_at__gt=now - AFTER_PUSH,
        connection__status__in=IN_PROGRESS,
    ).values_list("connection__connection_id", flat=True)
    return [*{*(ids[pk] for pk in taken), *steered[:MOST]}]


def _retrieve(client: SiftClient, connection_id: str) -> Observation | None:
    try:
        told = client.retrieve(connection_id)
    except SiftError:
        return None  # The next second, or the sync, asks again.
    is_it = isinstance(told, Observation) and told.connection_id == connection_id
    return told if is_it else None  # type: ignore[return-value]


def _read_head(client: SiftClient, waiting: Iterable[CallRequest], now: datetime) -> None:
    """The newest calls, while a request of the last minute does not know which one it became."""
    if not any(request.asked_at > now - FIRST_MINUTE for request in waiting):
        return
    database.close()
    try:
        page = client.list_page(client.list_url)
    except SiftError:
        return  # The next second, or the sync, asks again.
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
        ).select_related("connection")[:MOST]
    )


def _claim(request: CallRequest) -> tuple[Push, list[JSONObject]] | None:
    """Take the script for sending, with its record, in one transaction; None where it is not in force."""
    connection: Connection = request.connection  # type: ignore[assignment]
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(CLAIM, {"script": request.script_id, "call": connection.pk})
        row = cursor.fetchone()
        if row is None:
            return None
        push = Push.objects.create(
            request_id=uuid4(),
            operator_name="",
            deadline=timezone.now() + DEADLINE,
            kind=Push.Kind.FALLBACK,
            connection=connection,
            script_id=request.script_id,  # type: ignore[misc]
        )
        record(
            Verb.PUSH,
            Action.Phase.INTENT,
            None,
            connection_id=connection.connection_id,
            subject=str(push.request_id),
            payload={"why": "No callback asked for the script of this call."},
        )
    return push, json.loads(row[0])
