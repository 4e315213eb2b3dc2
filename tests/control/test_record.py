"""The record of actions is added to, and nothing else."""

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.db import connection as database
from django.db.models import ProtectedError
from django.test import Client

from connections_app.audit.log import record
from connections_app.models import Action, Operator, Verb

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


def test_who_is_on_record_is_kept(operator: Operator) -> None:
    for delete in (operator.delete, Operator.objects.all().delete):
        with pytest.raises(ProtectedError), transaction.atomic():
            delete()
    assert Action.objects.get().actor_id == operator.pk


def test_the_admin_shows_it_with_filters_and_changes_nothing(client: Client, make_operator: object) -> None:
    root = Operator.objects.create_superuser("root", password="correct horse")
    ana = Operator.objects.get(username="ana")
    client.force_login(root)
    address = "/admin/connections_app/action/"
    assert "10.0.0.7" in client.get(f"{address}?verb=hang_up&q=ana").content.decode()
    assert "None found" in client.get(f"{address}?q=ben").content.decode()
    assert "10.0.0.7" in client.get(f"{address}?person={ana.pk}").content.decode()
    assert "None found" in client.get(f"{address}?person={root.pk}").content.decode()
    pk = Action.objects.get().pk
    assert client.post(f"{address}{pk}/change/", {"actor": "nobody"}).status_code == 403
    assert client.post(f"{address}{pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{address}add/").status_code == 403


def test_old_rows_go_by_the_one_command_which_is_on_record(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="at least 30 days"):
        call_command("purge_actions", "--older-than", "29")
    with pytest.raises(CommandError, match="36500"):
        call_command("purge_actions", "--older-than", "99999999999")
    for days in (29, 31, 400):
        happened(days)
    call_command("purge_actions", "--older-than", "30")
    assert "Purged 2 actions from before" in capsys.readouterr().out
    assert set(Action.objects.values_list("subject", flat=True)) == {"", "29 days ago"}
    assert Action.objects.get(verb="purge").outcome.startswith("2 actions from before")
    with pytest.raises(DatabaseError, match="only added to"), transaction.atomic():
        Action.objects.all().delete()


def happened(days: int) -> None:
    """An action of so long ago: the model has the time set by itself."""
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO connections_app_action"
            " (at, verb, phase, actor, connection_id, subject, payload, outcome)"
            " VALUES (now() - make_interval(days => %s), 'push', 'intent', 'ana', '', %s, '{}', '')",
            [days, f"{days} days ago"],
        )
