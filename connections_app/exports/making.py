"""Record all exports, and write those of many calls to a file in the background.

The calls of a file are read in one snapshot, by one statement. A worker claims an export by a conditional
update that sets a new file name, and renews its claim each second; after an interruption, another worker
starts over with another file. So two workers never write one file, and the row names the valid one.
"""

import asyncio
import os
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import psycopg
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from connections_app.audit.log import record
from connections_app.call_list.query import InvalidQuery
from connections_app.call_list.time_limits import Count
from connections_app.exports import copying
from connections_app.exports.copying import Piece
from connections_app.exports.writing import ExportRequest, Format
from connections_app.models import Action, Export, Operator, Verb
from connections_app.web import jobs

State = Export.State

OPEN = (State.WAITING, State.RUNNING)
MAY_START_AGAIN = (State.STOPPED, State.FAILED)
KEPT_FOR = timedelta(days=7)
MAX_EXPORTS = 20  # of one person
SAVE_INTERVAL_SECONDS = 1.0  # a run that does not save for `jobs.LOST_AFTER` is started over
PIECE_TIMEOUT_SECONDS = 1.0
# SQLSTATE classes after which the export is retried: connection lost, server shut down. All others are final.
RETRIED_SQLSTATES = ("08", "57P")


@dataclass(frozen=True, slots=True)
class NamedExport:
    """A requested export, the file name that people see, and the number of calls counted for it."""

    request: ExportRequest
    name: str
    count: Count


def record_sending(named: NamedExport, operator: Operator, address: str | None) -> None:
    """Record that calls are sent to `operator`, before they are."""
    _record(
        named.request,
        named.count.calls,
        "calls",
        Action.Phase.OUTCOME,
        operator,
        address,
        f"Sent {named.count}.",
    )


def begin(named: NamedExport, operator: Operator, address: str | None) -> Export:
    """Store and record the requested export, which `work` then makes.

    Returns the existing export if the same one is already open. Raises `InvalidQuery` at the limit.
    """
    request = named.request
    with transaction.atomic():
        Operator.objects.select_for_update().get(pk=operator.pk)
        own = Export.objects.filter(owner=operator)
        fields = {"format": request.format, "query": request.query, "columns": list(request.columns)}
        if same := own.filter(**fields, time_zone=request.time_zone, state__in=OPEN).first():
            return same
        if own.count() >= MAX_EXPORTS:
            raise InvalidQuery(
                f"You have {MAX_EXPORTS} exports, which is as many as are kept. Delete one of them first."
            )
        made = own.create(
            **fields,
            owner=operator,
            time_zone=request.time_zone,
            name=named.name,
            counted=named.count.calls,
            file_name=uuid4().hex,
        )
        _record_of(made, Action.Phase.INTENT, operator, address)
    return made


def stop(export: Export) -> bool:
    """Stop the export. Returns True if it was waiting or running."""
    with transaction.atomic():
        stopped = Export.objects.filter(pk=export.pk, state__in=OPEN).update(
            state=State.STOPPED, ended_at=timezone.now(), working_since=None
        )
        if stopped:
            export.refresh_from_db()
            _record_of(export, Action.Phase.OUTCOME, export.owner, outcome=_outcome(export))
    return bool(stopped)


def start_again(export: Export, operator: Operator, address: str | None) -> bool:
    """Queue a stopped or failed export from its beginning. Returns False in any other state."""
    with transaction.atomic():
        is_queued = Export.objects.filter(pk=export.pk, state__in=MAY_START_AGAIN).update(
            state=State.WAITING, reason="", ended_at=None
        )
        if is_queued:
            _record_of(export, Action.Phase.INTENT, operator, address)
    return bool(is_queued)


def delete(export: Export) -> None:
    """Delete the export and its file. A worker that is making it notices and ends."""
    export.delete()
    path_of(export).unlink(missing_ok=True)


def unfinished() -> list[int]:
    """Return the keys of open exports that no worker is making."""
    return jobs.unfinished(Export.objects.filter(state__in=OPEN))


def delete_old() -> int:
    """Delete exports older than `KEPT_FOR`, and files without an export. Returns the number of files."""
    old = Export.objects.filter(ended_at__lt=timezone.now() - KEPT_FOR).exclude(state__in=OPEN)
    old.delete()
    files = [path for path in folder().iterdir() if path.is_file()]
    known = set(Export.objects.values_list("file_name", flat=True))
    orphans = [path for path in files if path.name not in known]
    for path in orphans:
        path.unlink(missing_ok=True)
    return len(orphans)


def work(pk: int, stopping: threading.Event | None = None) -> None:
    """Make an export from its beginning, until `stopping`; return at once if another worker makes it."""
    export = Export.objects.filter(pk=pk, state__in=OPEN).first()
    if export is None:
        return
    old, new = export.file_name, uuid4().hex
    open_one = Export.objects.filter(pk=pk, state__in=OPEN)
    held = jobs.claim(open_one, state=State.RUNNING, file_name=new, written=0, length=0)
    if held is None:
        return
    (folder() / old).unlink(missing_ok=True)
    try:
        export.refresh_from_db()
        _Making(export, held, stopping or threading.Event()).run()
    finally:
        if not Export.objects.filter(pk=pk, file_name=new).exists():
            (folder() / new).unlink(missing_ok=True)


def path_of(export: Export) -> Path:
    """Return the path of the file of `export`."""
    return folder() / export.file_name


def folder() -> Path:
    """Return the folder of the files, which only this system user may open. Create it if it is missing."""
    path: Path = settings.DATA_DIR / "exports"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


class _Making:
    """One worker's run at an export."""

    def __init__(self, export: Export, held: datetime, stopping: threading.Event) -> None:
        self.export, self.held, self.stopping = export, held, stopping

    def run(self) -> None:
        try:
            descriptor = os.open(path_of(self.export), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                async_to_sync(self._write)(file)
        except InvalidQuery as problem:
            self._end(State.FAILED, str(problem))
        except OSError as problem:
            self._end(State.FAILED, f"The file could not be written: {problem.strerror}.")
        except psycopg.Error as problem:
            if problem.sqlstate is None or problem.sqlstate.startswith(RETRIED_SQLSTATES):
                self._release()
                raise
            self._end(State.FAILED, f"The database could not read the calls: {type(problem).__name__}.")

    async def _write(self, file: BinaryIO) -> None:
        one = self.export
        request = ExportRequest(one.query, Format(one.format), one.columns, one.time_zone)
        saved_at = time.monotonic()
        async with aclosing(_with_pauses(copying.pieces(request))) as pieces:
            async for piece in pieces:
                if piece:
                    file.write(piece.body)
                    one.written += piece.rows
                    one.length += len(piece.body)
                if time.monotonic() - saved_at < SAVE_INTERVAL_SECONDS:
                    continue
                if not await sync_to_async(self._save)(file):
                    return
                if self.stopping.is_set():
                    await sync_to_async(self._release)()
                    return
                saved_at = time.monotonic()
        if await sync_to_async(self._save)(file):
            await sync_to_async(self._end)(State.DONE)

    def _save(self, file: BinaryIO) -> bool:
        """Flush the file to disk and store its length. Returns True if this worker still has the export."""
        file.flush()
        os.fdatasync(file.fileno())
        now = timezone.now()
        ours = self._ours().update(written=self.export.written, length=self.export.length, working_since=now)
        self.held = now
        return bool(ours)

    def _release(self) -> None:
        self._ours().update(working_since=None)

    def _end(self, state: Export.State, reason: str = "") -> None:
        with transaction.atomic():
            if self._ours().update(state=state, reason=reason, ended_at=timezone.now(), working_since=None):
                self.export.refresh_from_db()
                _record_of(
                    self.export, Action.Phase.OUTCOME, self.export.owner, outcome=_outcome(self.export)
                )

    def _ours(self) -> "models.QuerySet[Export]":
        return Export.objects.filter(pk=self.export.pk, working_since=self.held, state=State.RUNNING)


async def _with_pauses(pieces: AsyncGenerator[Piece, None]) -> AsyncGenerator[Piece | None, None]:
    """Yield the pieces, and None after each second without one: the database may sort for a long time."""
    async with aclosing(pieces):
        coming = None
        try:
            while True:
                coming = coming or asyncio.ensure_future(anext(pieces, None))
                done, _ = await asyncio.wait({coming}, timeout=PIECE_TIMEOUT_SECONDS)
                if not done:
                    yield None
                elif piece := coming.result():
                    coming = None
                    yield piece
                else:
                    return
        finally:
            if coming and coming.cancel():
                await asyncio.wait({coming})


def _outcome(export: Export) -> str:
    match export.state:
        case State.DONE:
            return f"Made a file of {export.written:,} calls."
        case State.STOPPED:
            return f"Stopped after {export.written:,} calls."
        case _:
            return f"Failed after {export.written:,} calls: {export.reason}"


def _record_of(
    export: Export,
    phase: Action.Phase,
    operator: Operator,
    address: str | None = None,
    outcome: str = "",
) -> None:
    request = ExportRequest(export.query, Format(export.format), export.columns, export.time_zone)
    _record(request, export.counted, f"export {export.pk}", phase, operator, address, outcome)


def _record(
    request: ExportRequest,
    calls: int,
    subject: str,
    phase: Action.Phase,
    operator: Operator,
    address: str | None,
    outcome: str,
) -> None:
    record(
        Verb.EXPORT,
        phase,
        operator,
        address=address,
        subject=subject,
        payload={
            "calls": calls,
            "query": request.query,
            "format": str(request.format),
            "columns": list(request.columns),
            "time_zone": request.time_zone,
        },
        outcome=outcome,
    )
