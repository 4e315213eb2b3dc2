"""The record of actions is added to, and nothing else."""

from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.db import connection as database
from django.test import Client

from connections_app.models import Action, Operator, Verb
from connections_app.recording import record

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def recorded(operator: Operator) -> None:
    record(Verb.HANG_UP, Action.Phase.INTENT, operator, connection_id="a1", address="10.0.0.7")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE connections_app_action SET actor = 'nobody'",
        "DELETE FROM connections_app_action",
        "TRUNCATE connections_app_action",
    ],
)
def test_the_database_itself_keeps_it(statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match="only added to"),
        transaction.atomic(),
        database.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert Action.objects.get().actor == "ana"


def test_it_outlives_the_person(operator: Operator) -> None:
    operator.delete()
    assert Action.objects.get().actor == "ana"


def test_the_admin_shows_it_with_filters_and_changes_nothing(client: Client, make_operator: object) -> None:
    root = Operator.objects.create_superuser("root", password="correct horse")
    client.force_login(root)
    address = "/admin/connections_app/action/"
    assert "10.0.0.7" in client.get(f"{address}?verb=hang_up&q=ana").content.decode()
    assert "None found" in client.get(f"{address}?q=ben").content.decode()
    assert "10.0.0.7" in client.get(f"{address}?person=ana").content.decode()
    assert "None found" in client.get(f"{address}?person=root").content.decode()
    pk = Action.objects.get().pk
    assert client.post(f"{address}{pk}/change/", {"actor": "nobody"}).status_code == 403
    assert client.post(f"{address}{pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{address}add/").status_code == 403


def test_old_rows_go_by_the_one_command_which_is_on_record(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="at least 30 days"):
        call_command("purge_actions", "--older-than", "29")
    call_command("purge_actions", "--older-than", "30")
    assert "Purged 0 actions" in capsys.readouterr().out
    with patch("connections_app.management.commands.purge_actions.timezone.now", far_in_the_future):
        call_command("purge_actions", "--older-than", "30")
    assert [action.outcome[:9] for action in Action.objects.filter(verb="purge").order_by("id")][
        -1
    ] == "2 actions"
    with pytest.raises(DatabaseError, match="only added to"), transaction.atomic():
        Action.objects.all().delete()


def far_in_the_future() -> datetime:
    return datetime.now(UTC) + timedelta(days=31)
