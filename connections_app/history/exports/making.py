"""Exports that a person asks for: on record all, and those of many calls made into a file in the background.

The calls of a file are read in one snapshot, by one statement. Each second the file is made safe, and the
database is told how far it is and where the last call stands: work that was cut off goes on from there, in a
snapshot of then. Whoever works holds the file locked, and says with each step that it is at it; a step counts
only while that is still its own word. So two workers never write one file.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
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

from connections_app.history import claiming
from connections_app.history.asked import Refused
from connections_app.history.exports import copying
from connections_app.history.exports.writing import Asked, Format
from connections_app.history.paging import BadPlace
from connections_app.history.reading import Count
from connections_app.models import Action, Export, Operator, Verb
from connections_app.recording import record

State = Export.State

OPEN = (State.WAITING, State.RUNNING)
MAY_GO_ON = (State.STOPPED, State.FAILED)
# So long a file is there to be fetched.
KEPT = timedelta(days=7)
# So many one person has at once.
MOST = 20
SAVED_EVERY = 1.0  # seconds
# The database went away, or was made to end what it did: it is tried again. Whatever else it says is final.
GONE = ("08", "57P")


@dataclass(frozen=True, slots=True)
class Named:
    """What is asked for, the name that its file has for people, and how many calls were counted for it."""

    asked: Asked
    name: str
    count: Count


def record_sending(named: Named, operator: Operator, address: str | None) -> None:
    """Put on record that calls are sent to somebody; before they are."""
    _record(
        named.asked,
        named.count.calls,
        "calls",
        Action.Phase.OUTCOME,
        operator,
        address,
        f"Sent {named.count}.",
    )


def begin(named: Named, operator: Operator, address: str | None) -> Export:
    """Write down what is asked for, on record; `work` then makes it.

    The same asked for again, before it is there, is the same one. Raises `Refused` to whoever has too many.
    """
    asked = named.asked
    with transaction.atomic():
        Operator.objects.select_for_update().get(pk=operator.pk)
        own = Export.objects.filter(owner=operator)
        wanted = {"format": asked.format, "query": asked.query, "columns": list(asked.columns)}
        if same := own.filter(**wanted, time_zone=asked.time_zone, state__in=OPEN).first():
            return same
        if own.count() >= MOST:
            raise Refused(f"You have {MOST} exports, which is as many as are kept. Delete one of them first.")
        made = own.create(
            **wanted,
            owner=operator,
            time_zone=asked.time_zone,
            name=named.name,
            counted=named.count.calls,
            file_name=uuid4().hex,
        )
        _record_of(made, Action.Phase.INTENT, operator, address)
    return made


def stop(export: Export) -> bool:
    """Let it end where it is; whether it was not over."""
    with transaction.atomic():
        stopped = Export.objects.filter(pk=export.pk, state__in=OPEN).update(
            state=State.STOPPED, ended_at=timezone.now(), working_since=None
        )
        if stopped:
            export.refresh_from_db()
            _record_of(export, Action.Phase.OUTCOME, export.owner, outcome=_outcome(export))
    return bool(stopped)


def go_on(export: Export, operator: Operator, address: str | None) -> bool:
    """Have one that was stopped, or failed, made to its end; whether it was such a one."""
    with transaction.atomic():
        wanted = Export.objects.filter(pk=export.pk, state__in=MAY_GO_ON).update(
            state=State.WAITING, reason="", ended_at=None
        )
        if wanted:
            _record_of(export, Action.Phase.INTENT, operator, address)
    return bool(wanted)


def delete(export: Export) -> None:
    """Take it away with its file. A worker that is at it finds it gone."""
    export.delete()
    path_of(export).unlink(missing_ok=True)


def unfinished() -> list[int]:
    """The keys of those that somebody has to go on with."""
    return claiming.unfinished(Export.objects.filter(state__in=OPEN))


def forget_old() -> int:
    """Take away what is older than a week, and files whose export is gone; how many files that were."""
    old = Export.objects.filter(ended_at__lt=timezone.now() - KEPT).exclude(state__in=OPEN)
    old.delete()
    lying = [path for path in folder().iterdir() if path.is_file()]
    known = set(Export.objects.values_list("file_name", flat=True))
    orphans = [path for path in lying if path.name not in known]
    for path in orphans:
        path.unlink(missing_ok=True)
    return len(orphans)


def work(pk: int, stopping: threading.Event | None = None) -> None:
    """Go on with an export to its end, or until `stopping`; leaves at once where somebody is at it."""
    export = Export.objects.filter(pk=pk, state__in=OPEN).first()
    if export is None:
        return
    with _locked(path_of(export)) as file:
        # A worker that is silent is not lost while it has the file locked.
        open_one = Export.objects.filter(pk=pk, state__in=OPEN)
        held = claiming.claim(open_one, state=State.RUNNING) if file else None
        if file and held:
            export.refresh_from_db()
            _Making(export, held, file, stopping or threading.Event()).run()
    if file and not Export.objects.filter(pk=pk).exists():
        path_of(export).unlink(missing_ok=True)


def path_of(export: Export) -> Path:
    return folder() / export.file_name


def folder() -> Path:
    """Where the files lie, which is for nobody else to look into."""
    there: Path = settings.DATA_DIR / "exports"
    there.mkdir(mode=0o700, parents=True, exist_ok=True)
    return there


class _Making:
    """One worker's run at an export, whose file it holds."""

    def __init__(self, export: Export, held: datetime, file: BinaryIO, stopping: threading.Event) -> None:
        self.export, self.held, self.file, self.stopping = export, held, file, stopping

    def run(self) -> None:
        try:
            self._go_back()
            async_to_sync(self._write)()
        except (Refused, BadPlace) as problem:
            self._end(State.FAILED, str(problem) or "Its place in the list is not known any more.")
        except OSError as problem:
            self._end(State.FAILED, f"The file could not be written: {problem.strerror}.")
        except psycopg.Error as problem:
            if problem.sqlstate is None or problem.sqlstate.startswith(GONE):
                self._let_go()
                raise
            self._end(State.FAILED, f"The database could not read the calls: {type(problem).__name__}.")

    def _go_back(self) -> None:
        """To the last call that is safe; to the beginning where there is none, or not any more."""
        one = self.export
        if not one.cursor or os.fstat(self.file.fileno()).st_size < one.length:
            one.written, one.length, one.cursor = 0, 0, ""
        self.file.truncate(one.length)
        self.file.seek(one.length)

    async def _write(self) -> None:
        one = self.export
        asked = Asked(one.query, Format(one.format), one.columns, one.time_zone)
        saved_at = time.monotonic()
        async with aclosing(copying.pieces(asked, one.cursor)) as pieces:
            async for piece in pieces:
                self.file.write(piece.body)
                one.written += piece.rows
                one.length += len(piece.body)
                one.cursor = piece.place
                if one.cursor and time.monotonic() - saved_at >= SAVED_EVERY:
                    if not await sync_to_async(self._save)():
                        return
                    if self.stopping.is_set():
                        await sync_to_async(self._let_go)()
                        return
                    saved_at = time.monotonic()
        if await sync_to_async(self._save)():
            await sync_to_async(self._end)(State.DONE)

    def _save(self) -> bool:
        """Make safe what there is, and say so; whether it is still ours to make."""
        self.file.flush()
        os.fdatasync(self.file.fileno())
        one, now = self.export, timezone.now()
        ours = self._ours().update(
            written=one.written, length=one.length, cursor=one.cursor, working_since=now
        )
        self.held = now
        return bool(ours)

    def _let_go(self) -> None:
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


@contextmanager
def _locked(path: Path) -> "Iterator[BinaryIO | None]":
    """The file, made where it is not there yet, for ourselves alone; None where another has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file


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
    asked = Asked(export.query, Format(export.format), export.columns, export.time_zone)
    _record(asked, export.counted, f"export {export.pk}", phase, operator, address, outcome)


def _record(
    asked: Asked,
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
            "query": asked.query,
            "format": str(asked.format),
            "columns": list(asked.columns),
            "time_zone": asked.time_zone,
        },
        outcome=outcome,
    )
