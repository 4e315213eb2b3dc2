"""Exports made in the background: whole whatever happens, for their owner alone, and gone in a week."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from django.db import connection as database
from django.test import Client
from django.utils import timezone
from psycopg import OperationalError
from pytest_django.asserts import assertContains

from connections_app.call_list.time_limits import Count
from connections_app.engines.database import parameters
from connections_app.exports import copying, making, writing
from connections_app.exports.making import NamedExport
from connections_app.exports.writing import ExportRequest, Format
from connections_app.models import Action, Contact, Export, Operator
from connections_app.web import jobs
from tests.conftest import alone, database_url, on_the_tests_database, wait_until
from tests.exports.exported import EVERY, written
from tests.factories import generated, many

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Make = Callable[..., Operator]
State = Export.State
StartWorker = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def ana(client: Client, make_operator: Make) -> Operator:
    """An operator, whose browser is `client`."""
    operator = make_operator("ana", time_zone="Europe/Berlin")
    client.force_login(operator)
    return operator


@pytest.fixture(autouse=True)
def folder(settings: LazySettings, tmp_path: Path) -> Path:
    """Where the files of this test lie."""
    settings.DATA_DIR = tmp_path
    return making.folder()


@contextmanager
def few_at_once() -> Iterator[None]:
    """Progress is kept after every three calls."""
    with patch.object(copying, "ROWS_PER_PIECE", 3), patch.object(making, "SAVE_INTERVAL_SECONDS", 0.0):
        yield


def begun(operator: Operator, query: str = "", format: Format = Format.CSV) -> Export:
    named = NamedExport(
        ExportRequest(query, format, EVERY, "Europe/Berlin"), f"calls.{format}", Count(9, is_exact=True)
    )
    return making.begin(named, operator, None)


def worked(pk: int, stopping: threading.Event | None = None) -> Export:
    """The export after a worker was at it, in a thread of its own as there."""
    worker = threading.Thread(target=alone(making.work), args=(pk, stopping))
    worker.start()
    worker.join()
    return Export.objects.get(pk=pk)


def cut_off(pk: int) -> Export:
    """The export after a worker was told to end in its middle, and wrote down how far it was."""
    stopping, save = threading.Event(), making._Making._save

    def saved(work: Any, file: Any) -> bool:
        if work.export.written:
            stopping.set()
        return save(work, file)

    with few_at_once(), patch.object(making._Making, "_save", saved):
        return worked(pk, stopping)


def file_of(one: Export) -> bytes:
    return making.path_of(Export.objects.get(pk=one.pk)).read_bytes()


def test_many_calls_are_made_into_a_file_on_record(client: Client, ana: Operator) -> None:
    many(20)
    with patch.object(writing, "INLINE_LIMIT", 5):
        answer = client.post("/calls/export/", {"query": "status=finished&sort=oldest", "format": "csv"})
    one = Export.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"/exports/{one.pk}/")
    assertContains(client.get(f"/exports/{one.pk}/"), "Waiting for its turn.")
    assert worked(one.pk).state == State.DONE
    assert file_of(one) == written("status=finished&sort=oldest")
    assert oct(making.path_of(Export.objects.get()).stat().st_mode)[-3:] == "600"
    assertContains(client.get("/exports/"), "Ready: 18 calls.")
    told = Action.objects.order_by("pk").values_list("actor", "verb", "phase", "subject", "outcome")
    subject = f"export {one.pk}"
    assert list(told) == [
        ("ana", "export", "intent", subject, ""),
        ("ana", "export", "outcome", subject, "Made a file of 18 calls."),
    ]
    assert Action.objects.earliest("pk").payload["query"] == "status=finished&sort=oldest"


def test_days_relative_to_today_are_those_of_the_request(client: Client, ana: Operator) -> None:
    many(6)
    with patch.object(writing, "INLINE_LIMIT", -1):
        client.post("/calls/export/", {"query": "when=yesterday&q=415", "format": "ndjson"})
    yesterday = timezone.localdate(timezone=ZoneInfo(ana.time_zone)) - timedelta(days=1)
    assert Export.objects.get().query == f"q=415&since={yesterday}&until={yesterday}"


@pytest.mark.parametrize("format", list(Format))
def test_what_was_cut_off_is_started_over(ana: Operator, folder: Path, format: Format) -> None:
    many(20)
    one = begun(ana, "sort=shortest", format)
    for _ in range(3):
        partly = cut_off(one.pk)
        assert (partly.state, partly.working_since) == (State.RUNNING, None)
        assert 0 < partly.written < 20
    assert making.unfinished() == [one.pk]
    assert worked(one.pk).written == 20
    assert file_of(Export.objects.get()) == written("sort=shortest", format)
    assert len(list(folder.iterdir())) == 1


def test_workers_at_once_make_one_file(ana: Operator) -> None:
    many(60)
    one = begun(ana)
    with few_at_once():
        workers = [threading.Thread(target=alone(worked), args=(one.pk,)) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    wait_until(lambda: worked(one.pk).state == State.DONE)
    assert file_of(one) == written()


def test_a_worker_that_was_taken_for_lost_leaves_the_file_of_the_next_one_alone(
    ana: Operator, folder: Path
) -> None:
    many(60)
    one = begun(ana)
    with few_at_once(), patch.object(making._Making, "_save", overtaken_first(making._Making._save)):
        worked(one.pk)
    last = Export.objects.get()
    assert (last.state, last.written) == (State.DONE, 60)
    assert file_of(last) == written()
    assert len(list(folder.iterdir())) == 1
    assert Action.objects.filter(phase="outcome").count() == 1


def overtaken_first(save: Callable[..., bool]) -> Callable[..., bool]:
    """As `save`, after another worker took the export for lost and made it, once."""
    others: list[Export] = []

    def overtaken(work: Any, file: Any) -> bool:
        if not others:
            others.append(work.export)
            Export.objects.update(working_since=timezone.now() - 2 * jobs.LOST_AFTER)
            worked(work.export.pk)
        return save(work, file)

    return overtaken


def test_a_worker_says_that_it_works_while_no_line_comes(ana: Operator, slow_address: str) -> None:
    generated(800)
    Contact.objects.create(endpoint="+442079460018", name="Everybody's", changed_by="ben")
    one = begun(ana)
    said: list[int] = []
    save = making._Making._save

    def noted(work: Any, file: Any) -> bool:
        said.append(work.export.written)
        return save(work, file)

    slow = {"options": "-c search_path=slowly,public"}
    with (
        patch.object(making._Making, "_save", noted),
        patch.multiple(making, SAVE_INTERVAL_SECONDS=0.05, PIECE_TIMEOUT_SECONDS=0.05),
        patch.object(copying, "parameters", lambda: parameters() | slow),
    ):
        assert worked(one.pk).written == 800
    assert said.count(0) > 2


def test_one_that_was_stopped_is_started_again(client: Client, ana: Operator) -> None:
    many(20)
    one = begun(ana)
    cut_off(one.pk)
    assert client.post(f"/exports/{one.pk}/stop/").status_code == 303
    assertContains(client.get(f"/exports/{one.pk}/"), "Stopped after 3 calls.")
    assert worked(one.pk).written == 3
    assert client.get(f"/exports/{one.pk}/file/").status_code == 303
    assert client.post(f"/exports/{one.pk}/again/").status_code == 303
    assert worked(one.pk).written == 20
    assert file_of(one) == written()
    outcomes = Action.objects.filter(phase="outcome").order_by("pk").values_list("outcome", flat=True)
    assert list(outcomes) == ["Stopped after 3 calls.", "Made a file of 20 calls."]


def test_one_that_is_stopped_while_it_is_written_ends(ana: Operator) -> None:
    many(60)
    one = begun(ana)
    with few_at_once(), patch.object(making._Making, "_save", stopping_first(making._Making._save)):
        assert worked(one.pk).state == State.STOPPED
    assert Export.objects.get().written < 60


def stopping_first(save: Callable[..., bool]) -> Callable[..., bool]:
    """As `save`, after its person has stopped it."""

    def stopped(work: Any, file: Any) -> bool:
        making.stop(Export.objects.get(pk=work.export.pk))
        return save(work, file)

    return stopped


def test_an_export_whose_reading_the_database_ends_is_made_again(ana: Operator) -> None:
    generated(20_000)
    one = begun(ana)
    with few_at_once(), patch.object(making._Making, "_save", cut_short(making._Making._save)):
        assert isinstance(problem_of(one.pk), OperationalError)
    assert making.unfinished() == [one.pk]
    assert 0 < Export.objects.get().written < 20_000
    assert worked(one.pk).state == State.DONE
    assert file_of(one) == written()


def problem_of(pk: int) -> BaseException | None:
    """With what a worker, in a thread of its own, leaves an export."""

    def work() -> None:
        try:
            making.work(pk)
        finally:
            database.close()

    with ThreadPoolExecutor(1) as worker:
        return worker.submit(work).exception()


def cut_short(save: Callable[..., bool]) -> Callable[..., bool]:
    """As `save`, after the database has ended all reading of exports."""

    def saved(making: Any, file: Any) -> bool:
        ours = save(making, file)
        with database.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE %s",
                ["%export"],
            )
        return ours

    return saved


def test_a_filter_that_is_not_understood_any_more_fails_with_the_reason(
    client: Client, ana: Operator
) -> None:
    one = begun(ana, "tag=gone")
    assert (worked(one.pk).state, Export.objects.get().reason) == (
        State.FAILED,
        "There is no “gone” to choose.",
    )
    assertContains(client.get(f"/exports/{one.pk}/"), "There is no “gone” to choose.")


def test_a_full_disk_fails_the_export_with_the_reason(ana: Operator) -> None:
    many(6)
    one = begun(ana)
    name = uuid4()
    (making.folder() / name.hex).symlink_to("/dev/full")
    with patch.object(making, "uuid4", lambda: name):
        assert worked(one.pk).state == State.FAILED
    assert Export.objects.get().reason.startswith("The file could not be written: ")


def test_the_same_export_is_begun_once_until_it_is_there(ana: Operator) -> None:
    many(3)
    one = begun(ana)
    assert begun(ana) == one
    assert begun(ana, "sort=oldest") != one
    worked(one.pk)
    assert begun(ana) != one


def test_nobody_has_too_many(client: Client, ana: Operator) -> None:
    many(6)
    with patch.object(making, "MAX_EXPORTS", 1), patch.object(writing, "INLINE_LIMIT", 5):
        begun(ana, "sort=oldest")
        answer = client.post("/calls/export/", {"query": "", "format": "csv"})
    assertContains(answer, "You have 1 exports", status_code=400)


def test_nobody_else_learns_of_it(client: Client, ana: Operator, make_operator: Make) -> None:
    one = begun(make_operator("ben"))
    worked(one.pk)
    addresses = ["", "file/", "stop/", "again/", "delete/"]
    for address, ask in zip(addresses, [client.get] * 2 + [client.post] * 3, strict=True):
        assert ask(f"/exports/{one.pk}/{address}").status_code == 404
    assertContains(client.get("/exports/"), "No exports")
    assert Export.objects.get().state == State.DONE


def test_it_is_deleted_with_its_file(client: Client, ana: Operator, folder: Path) -> None:
    one = begun(ana)
    worked(one.pk)
    assert list(folder.iterdir())
    assert client.post(f"/exports/{one.pk}/delete/").status_code == 303
    assert (Export.objects.count(), list(folder.iterdir())) == (0, [])


def test_files_go_after_a_week_and_with_their_row(ana: Operator, make_operator: Make, folder: Path) -> None:
    many(3)
    old, young, another = begun(ana, "sort=oldest"), begun(ana), begun(make_operator("ben"))
    for one in (old, young, another):
        worked(one.pk)
    Export.objects.filter(pk=old.pk).update(ended_at=timezone.now() - timedelta(days=7, minutes=1))
    Export.objects.filter(pk=young.pk).update(ended_at=timezone.now() - timedelta(days=6, hours=23))
    another.delete()
    assert making.delete_old() == 2
    assert [path.name for path in folder.iterdir()] == [Export.objects.get(pk=young.pk).file_name]
    assert list(Export.objects.all()) == [young]


def slowly() -> str:
    """The address of the test's database for who is to read it slowly: a millisecond for each call that has a
    name."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            CREATE SCHEMA slowly;
            CREATE VIEW slowly.connections_app_contact AS
            SELECT id, endpoint, name || pg_sleep(0.001)::text AS name FROM public.connections_app_contact
            """
        )
    return f"{database_url()}&options=-csearch_path%3Dslowly,public"


@pytest.fixture
def slow_address() -> Iterator[str]:
    yield slowly()
    with database.cursor() as cursor:
        cursor.execute("DROP SCHEMA slowly CASCADE")


@pytest.mark.timeout(120)
def test_after_a_worker_is_killed_in_the_middle_another_starts_over(
    ana: Operator, start_worker: StartWorker, slow_address: str, folder: Path
) -> None:
    generated(8_000)
    Contact.objects.create(endpoint="+442079460018", name="Everybody's", changed_by="ben")
    one = begun(ana)
    here = {"DATA_DIR": str(folder.parent)}
    first = start_worker(DATABASE_URL=slow_address, **here)
    queue()
    wait_until(lambda: Export.objects.get().written, 40)
    first.send_signal(signal.SIGKILL)
    first.wait()
    cut_off = Export.objects.get()
    assert cut_off.state == State.RUNNING
    Export.objects.update(working_since=timezone.now() - jobs.LOST_AFTER)
    start_worker(**here)
    queue()
    wait_until(lambda: Export.objects.get().state == State.DONE, 60)
    assert Export.objects.get().written == 8_000
    assert file_of(one) == written()
    assert Action.objects.filter(phase="outcome").count() == 1


def queue() -> None:
    """Queue what is unfinished, where the workers of the test's database look."""
    code = "from connections_app.exports.tasks import queue_unfinished_exports as queue; queue()"
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", code]
    subprocess.run(command, env=on_the_tests_database(), check=True)
