"""Two people act at once: one waits for the other, and then sees what was done."""

import json
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import connection as database
from django.db import transaction

from connections_app.models import Operator, Routine, UsedBy
from connections_app.routines import library
from connections_app.routines.library import Actor, InUse, NotReady, RoutineDraft
from tests.conftest import wait_until
from tests.routines.conftest import MakeRoutine

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def somebody_waits_for_us() -> bool:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])


def menu(routine: Routine) -> RoutineDraft:
    asks = [{"name": "GetDigits", "count": 1, "then": {"1": routine.pk}}]
    return RoutineDraft("Menu", "", UsedBy.OPERATORS, json.dumps(asks), 0)


def test_who_archives_waits_for_who_publishes(supervisor: Operator, make_routine: MakeRoutine) -> None:
    routine, who = make_routine(), Actor(supervisor)

    def archive() -> None:
        try:
            library.archive(routine, routine.revision, who)
        finally:
            database.close()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            library.publish(None, menu(routine), "First", who)
            archiving: Future[None] = threads.submit(archive)
            wait_until(somebody_waits_for_us)
        with pytest.raises(InUse, match="the routine “Menu”"):
            archiving.result(10)
    assert Routine.objects.get(pk=routine.pk).archived_at is None


def test_who_publishes_waits_for_who_archives(supervisor: Operator, make_routine: MakeRoutine) -> None:
    routine, who = make_routine(), Actor(supervisor)

    def publish() -> None:
        try:
            library.publish(None, menu(routine), "First", who)
        finally:
            database.close()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            library.archive(routine, routine.revision, who)
            publishing: Future[None] = threads.submit(publish)
            wait_until(somebody_waits_for_us)
        with pytest.raises(NotReady):
            publishing.result(10)
    assert not Routine.objects.filter(name="Menu").exists()
