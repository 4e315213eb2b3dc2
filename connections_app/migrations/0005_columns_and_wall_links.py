"""Hidden columns, links to the wallboard, and who may make those."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

import connections_app.models.account

ADMINISTRATOR = ["view_walllink", "add_walllink", "change_walllink"]


def allow_wall_links(apps, schema_editor):
    app = apps.get_app_config("connections_app")
    app.models_module = True
    create_permissions(app, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    app.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="connections_app", codename__in=ADMINISTRATOR
    )
    apps.get_model("auth", "Group").objects.get(name="Administrator").permissions.add(*permissions)


class Migration(migrations.Migration):
    dependencies = [
        ("connections_app", "0004_starters"),
    ]

    operations = [
        migrations.AddField(
            model_name="operator",
            name="hidden_columns",
            field=models.JSONField(
                blank=True,
                default=dict,
                editable=False,
                help_text="By list, the columns that this person hides.",
            ),
        ),
        migrations.AlterField(
            model_name="action",
            name="verb",
            field=models.CharField(
                choices=[
                    ("place", "Place a call"),
                    ("push", "Send a routine"),
                    ("hang_up", "Hang up"),
                    ("settle", "Settle an unknown request"),
                    ("clear", "Clear a call that Sift does not know"),
                    ("share_wall", "Make a link to the wallboard"),
                    ("revoke_wall", "Revoke a link to the wallboard"),
                    ("show_address", "Look at a callback address"),
                    ("publish", "Publish a routine"),
                    ("archive", "Archive a routine"),
                    ("purge", "Purge old actions"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="connection",
            name="change_source",
            field=models.CharField(
                choices=[
                    ("list", "List"),
                    ("retrieve", "Read one by one"),
                    ("callback", "Callback"),
                    ("placing", "Answer to placing"),
                    ("person", "A person"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="connection",
            name="first_source",
            field=models.CharField(
                choices=[
                    ("list", "List"),
                    ("retrieve", "Read one by one"),
                    ("callback", "Callback"),
                    ("placing", "Answer to placing"),
                    ("person", "A person"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="connectionevent",
            name="source",
            field=models.CharField(
                choices=[
                    ("list", "List"),
                    ("retrieve", "Read one by one"),
                    ("callback", "Callback"),
                    ("placing", "Answer to placing"),
                    ("person", "A person"),
                ],
                max_length=16,
            ),
        ),
        migrations.CreateModel(
            name="WallLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(help_text="Where the wall hangs, such as “Floor 2”.", max_length=100),
                ),
                (
                    "token",
                    models.CharField(
                        default=connections_app.models.account.new_token, editable=False, max_length=64
                    ),
                ),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("revoked_at", models.DateTimeField(editable=False, null=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-made_at",),
                "constraints": [
                    models.UniqueConstraint(
                        connections_app.models.account.TokenDigest("token"), name="wall_link_token_once"
                    )
                ],
            },
        ),
        migrations.RunPython(allow_wall_links, migrations.RunPython.noop),
    ]
