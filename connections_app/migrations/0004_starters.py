"""What each role may now do, three routines to begin with, and the inbound rule that always exists."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

OPERATOR = ["place_call", "view_routine", "view_callrequest"]
SUPERVISOR = [*OPERATOR, "steer_any_call", "edit_routines", "view_action", "view_callback", "view_push"]
ADMINISTRATOR = [
    *SUPERVISOR,
    "see_addresses",
    "view_inboundrule",
    "add_inboundrule",
    "change_inboundrule",
    "delete_inboundrule",
]
ROLES = {
    "Viewer": ["view_routine", "view_callrequest"],
    "Operator": OPERATOR,
    "Supervisor": SUPERVISOR,
    "Administrator": ADMINISTRATOR,
}
GOODBYE = "Thank you and goodbye"
ROUTINES = {
    "Appointment reminder": (
        "Says when the appointment is, and asks for 1 to confirm.",
        [
            {
                "name": "Say",
                "text": "Hello {{ customer }}. This is a reminder of your appointment on {{ day }}.",
            },
            {"name": "Say", "text": "Press 1 to confirm."},
            {"name": "GetDigits", "count": 1, "timeout_seconds": 8},
            {"name": "Say", "text": "Thank you. Goodbye."},
            {"name": "HangUp"},
        ],
    ),
    "Connect to a number": (
        "Asks the person to wait, calls a second number, and connects the two.",
        [
            {"name": "Say", "text": "One moment please. I am connecting you."},
            {"name": "CallPhone", "phone_number": "{{ number|phone }}", "do_record": False},
        ],
    ),
    GOODBYE: (
        "Says thank you, and ends the call. Calls that come in are answered with it until a rule says otherwise.",
        [
            {
                "name": "Say",
                "text": "Thank you for calling. Nobody can take your call at the moment. Please call again later.",
            },
            {"name": "HangUp"},
        ],
    ),
}


def widen_roles(apps, schema_editor):
    app = apps.get_app_config("connections_app")
    app.models_module = True
    create_permissions(app, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    app.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="connections_app"
    )
    for name, codenames in ROLES.items():
        role = apps.get_model("auth", "Group").objects.get(name=name)
        role.permissions.add(*permissions.filter(codename__in=codenames))


def make_routines(apps, schema_editor):
    routines = apps.get_model("connections_app", "Routine").objects
    versions = apps.get_model("connections_app", "RoutineVersion").objects
    for name, (description, commands) in ROUTINES.items():
        routine = routines.create(name=name, description=description, changed_by="Sift Dashboard")
        version = versions.create(routine=routine, number=1, commands=commands, author="Sift Dashboard")
        routines.filter(pk=routine.pk).update(published=version)
    apps.get_model("connections_app", "InboundRule").objects.create(
        name="Every other call", is_default=True, routine=routines.get(name=GOODBYE)
    )


class Migration(migrations.Migration):
    dependencies = [("connections_app", "0003_steering"), ("contenttypes", "0002_remove_content_type_name")]

    operations = [
        migrations.RunPython(widen_roles, migrations.RunPython.noop),
        migrations.RunPython(make_routines, migrations.RunPython.noop),
    ]
