"""A view saved while a tag that it asks for is renamed: it is never kept with the name that is gone."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection as database
from django.db import transaction

from connections_app.models import Colour, Operator, Role, SavedView, Tag
from connections_app.saved_views import saving
from connections_app.tags import tagging
from tests.conftest import wait_until

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

# Unlike what tells of sessions, this is not kept as it was for the length of a transaction.
WAITS = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"


def test_a_save_during_a_rename_waits_and_is_refused_with_the_reason(
    make_operator: Callable[..., Operator],
) -> None:
    owner = make_operator("ana", Role.SUPERVISOR)
    tag = Tag.objects.create(name="Old", made_by="ana")
    told: list[str] = []

    def save() -> None:
        try:
            saving.save("Mine", "tag=Old", False, owner)
        except saving.NotSaved as problem:
            told.append(str(problem))
        finally:
            database.close()

    with transaction.atomic():
        tagging.change(tag, "New", Colour.RED, owner, None)
        saver = threading.Thread(target=save)
        saver.start()
        wait_until(somebody_waits)
    saver.join(timeout=10)
    assert told == ["These filters cannot be understood. Mend them first."]
    assert not SavedView.objects.exists()


def somebody_waits() -> bool:
    with database.cursor() as cursor:
        cursor.execute(WAITS)
        return bool(cursor.fetchone()[0])
