"""The four roles with what each may do, and the one row of the sync's state."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

VIEWER = ["view_connection", "view_connectionevent"]
OPERATOR = VIEWER
SUPERVISOR = [*OPERATOR, "run_sync", "view_walk", "view_keptaside", "view_syncstate"]
ADMINISTRATOR = [*SUPERVISOR, "add_operator", "change_operator", "view_operator", "delete_operator"]
ROLES = {
    "Viewer": VIEWER,
    "Operator": OPERATOR,
    "Supervisor": SUPERVISOR,
    "Administrator": ADMINISTRATOR,
}


def make_roles(apps, schema_editor):
    app = apps.get_app_config("connections_app")
    app.models_module = True
    create_permissions(app, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    app.models_module = None
    permission = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="connections_app"
    )
    for name, codenames in ROLES.items():
        role, _ = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        role.permissions.set(permission.filter(codename__in=codenames))


def make_sync_state(apps, schema_editor):
    apps.get_model("connections_app", "SyncState").objects.get_or_create(id=1)


class Migration(migrations.Migration):
    dependencies = [("connections_app", "0001_initial"), ("contenttypes", "0002_remove_content_type_name")]

    operations = [
        migrations.RunPython(make_roles, migrations.RunPython.noop),
        migrations.RunPython(make_sync_state, migrations.RunPython.noop),
    ]
