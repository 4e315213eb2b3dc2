from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def set_staff_by_role(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """The role alone says from now on who may open the admin."""
    people = apps.get_model("connections_app", "Operator").objects
    people.filter(groups__name__in=("Supervisor", "Administrator")).update(is_staff=True)
    people.filter(is_superuser=True).update(is_staff=True)


class Migration(migrations.Migration):
    dependencies = [("connections_app", "0009_claims_of_readings")]

    operations = [migrations.RunPython(set_staff_by_role, migrations.RunPython.noop)]
