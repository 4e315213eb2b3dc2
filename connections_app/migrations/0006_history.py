"""What calls are found by: talk time, country, operator, tags, notes; contacts, saved views and exports."""

import json
import uuid

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.text
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

import connections_app.models.view
from connections_app.models.countries import COUNTRY_OF, LONGEST

# The longest prefix that has a country; at most seven digits.
COUNTRY_FUNCTION = """
    CREATE FUNCTION sift_country(endpoint text) RETURNS varchar
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN starts_with(endpoint, '+') THEN coalesce({lookups}) END
""".format(
    lookups=", ".join(
        f"'{json.dumps(COUNTRY_OF, separators=(',', ':'))}'::jsonb ->> substr(endpoint, 2, {length})"
        for length in range(LONGEST, 0, -1)
    )
)

# Whose browser client is at one of the two ends: the caller's first.
OPERATOR_FUNCTION = """
    CREATE FUNCTION sift_operator_on_the_line(caller text, callee text) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
        SELECT id FROM connections_app_operator
        WHERE lower(client_name) IN (
            CASE WHEN caller ILIKE 'webrtc:%' THEN lower(btrim(substr(caller, 8))) END,
            CASE WHEN callee ILIKE 'webrtc:%' THEN lower(btrim(substr(callee, 8))) END
        )
        ORDER BY lower(client_name) = lower(btrim(substr(caller, 8))) DESC LIMIT 1
    $$
"""

PLACED_BY = """
    UPDATE connections_app_connection AS call
    SET operator_id = coalesce(
        (SELECT request.operator_id FROM connections_app_callrequest AS request
         WHERE request.connection_id = call.id),
        sift_operator_on_the_line(call.from_endpoint, call.to_endpoint)
    )
    WHERE call.from_endpoint ILIKE 'webrtc:%' OR call.to_endpoint ILIKE 'webrtc:%'
        OR EXISTS (SELECT FROM connections_app_callrequest WHERE connection_id = call.id)
"""

# How often a fragment occurs is estimated from this many rows: one that a thousandth of all calls have is seen.
STATISTICS = "ALTER TABLE connections_app_connection ALTER COLUMN searched SET STATISTICS 1000"

OPERATOR = ["write_notes", "tag_calls", "edit_contacts"]
SUPERVISOR = [*OPERATOR, "add_tag", "change_tag", "delete_tag", "import_contacts", "allow_calling"]
ADMINISTRATOR = [
    *SUPERVISOR,
    "view_tag",
    "view_contact",
    "add_contact",
    "change_contact",
    "delete_contact",
    "view_export",
    "view_savedview",
    "change_savedview",
    "delete_savedview",
    "view_bulktagging",
]
ROLES = {"Operator": OPERATOR, "Supervisor": SUPERVISOR, "Administrator": ADMINISTRATOR}


def give_permissions(apps, schema_editor):
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


class Migration(migrations.Migration):
    dependencies = [
        ("connections_app", "0005_columns_and_wall_links"),
    ]

    operations = [
        migrations.RunSQL(COUNTRY_FUNCTION, "DROP FUNCTION sift_country"),
        migrations.RunSQL(OPERATOR_FUNCTION, "DROP FUNCTION sift_operator_on_the_line"),
        migrations.CreateModel(
            name="BulkTagged",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tagged_by", models.CharField(max_length=150)),
                ("tagged_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="BulkTagging",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("adds", models.BooleanField()),
                ("operator_name", models.CharField(max_length=150)),
                ("keys", models.JSONField(null=True)),
                ("query", models.TextField(blank=True, default="")),
                ("time_zone", models.CharField(default="UTC", max_length=64)),
                (
                    "counted",
                    models.PositiveIntegerField(help_text="How many calls matched when it was asked for."),
                ),
                ("last_key", models.BigIntegerField(default=0)),
                ("cursor", models.BigIntegerField(default=0)),
                (
                    "seen",
                    models.PositiveIntegerField(default=0, help_text="How many calls were dealt with."),
                ),
                (
                    "changed",
                    models.PositiveIntegerField(default=0, help_text="How many calls got or lost the tag."),
                ),
                (
                    "undone",
                    models.PositiveIntegerField(
                        default=0, help_text="How many of these were put back since."
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("stopped", "Stopped"),
                            ("undoing", "Being undone"),
                            ("undone", "Undone"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("reason", models.TextField(blank=True, default="")),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "working_since",
                    models.DateTimeField(help_text="When a worker last said that it is at it.", null=True),
                ),
                ("ended_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="CallTag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("tagged_by", models.CharField(max_length=150)),
                ("tagged_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="Contact",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("endpoint", models.CharField(max_length=500)),
                ("name", models.CharField(blank=True, default="", max_length=200)),
                ("notes", models.TextField(blank=True, default="", max_length=10000)),
                ("do_not_call", models.BooleanField(default=False, help_text="Asked not to be called.")),
                ("revision", models.PositiveIntegerField(default=1)),
                ("changed_by", models.CharField(max_length=150)),
                ("changed_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "permissions": (
                    ("edit_contacts", "Can name numbers and clients, and mark who is not to be called"),
                    ("allow_calling", "Can take that mark away"),
                    ("import_contacts", "Can import contacts"),
                ),
            },
        ),
        migrations.CreateModel(
            name="ContactImport",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("file_name", models.CharField(max_length=200)),
                ("lines", models.JSONField()),
                ("bad", models.JSONField()),
                ("merged", models.PositiveIntegerField(default=0)),
                ("ignored", models.JSONField(help_text="Columns that mean nothing here.")),
                ("uploaded_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("done_at", models.DateTimeField(null=True)),
                ("result", models.JSONField(null=True)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contact_imports",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["uploaded_at"], name="contact_import_age")],
            },
        ),
        migrations.CreateModel(
            name="EarlierText",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("text", models.TextField()),
                ("replaced_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("replaced_by", models.CharField(max_length=150)),
            ],
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("format", models.CharField(choices=[("csv", "CSV"), ("ndjson", "NDJSON")], max_length=8)),
                ("query", models.TextField(blank=True, default="")),
                ("columns", models.JSONField()),
                ("time_zone", models.CharField(max_length=64)),
                ("name", models.CharField(help_text="The name under which it is fetched.", max_length=200)),
                (
                    "counted",
                    models.BigIntegerField(help_text="How many calls were expected when it was asked for."),
                ),
                ("written", models.BigIntegerField(default=0)),
                ("length", models.BigIntegerField(default=0)),
                ("cursor", models.CharField(blank=True, default="", max_length=64)),
                ("file_name", models.CharField(blank=True, default="", max_length=100)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("stopped", "Stopped"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("reason", models.TextField(blank=True, default="")),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "working_since",
                    models.DateTimeField(help_text="When a worker last said that it is at it.", null=True),
                ),
                ("ended_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("request_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("author_name", models.CharField(max_length=150)),
                ("text", models.TextField(max_length=10000)),
                ("written_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("edited_at", models.DateTimeField(null=True)),
                ("removed_at", models.DateTimeField(null=True)),
                ("removed_by", models.CharField(blank=True, default="", max_length=150)),
            ],
            options={
                "permissions": (("write_notes", "Can write notes to calls"),),
            },
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        default=connections_app.models.view.new_code,
                        editable=False,
                        max_length=16,
                        unique=True,
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("query", models.TextField(blank=True, default="")),
                ("is_shared", models.BooleanField(default=False)),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="Tag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=50)),
                (
                    "colour",
                    models.CharField(
                        choices=[
                            ("blue", "Blue"),
                            ("teal", "Teal"),
                            ("green", "Green"),
                            ("yellow", "Yellow"),
                            ("orange", "Orange"),
                            ("red", "Red"),
                            ("pink", "Pink"),
                            ("purple", "Purple"),
                            ("secondary", "Grey"),
                        ],
                        default="blue",
                        max_length=16,
                    ),
                ),
                ("made_by", models.CharField(max_length=150)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": (django.db.models.functions.text.Lower("name"),),
                "permissions": (("tag_calls", "Can tag calls, one or many"),),
            },
        ),
        migrations.AddField(
            model_name="connection",
            name="operator",
            field=models.ForeignKey(
                db_index=False,
                help_text="Who placed the call, else whose browser client it is with. Kept by triggers.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="calls",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="connection",
            name="country",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.expressions.RawSQL(
                    "sift_country(\n    lower(CASE\n        WHEN direction = 'incoming' THEN to_endpoint\n        WHEN direction = 'outgoing' THEN from_endpoint\n        WHEN starts_with(from_endpoint, '+') THEN from_endpoint\n        WHEN starts_with(to_endpoint, '+') THEN to_endpoint\n        ELSE coalesce(from_endpoint, to_endpoint)\n    END)\n)",
                    (),
                ),
                help_text="Of the other side's number, in two letters.",
                output_field=models.CharField(max_length=2, null=True),
            ),
        ),
        migrations.AddField(
            model_name="connection",
            name="party",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.expressions.RawSQL(
                    "\n    lower(CASE\n        WHEN direction = 'incoming' THEN to_endpoint\n        WHEN direction = 'outgoing' THEN from_endpoint\n        WHEN starts_with(from_endpoint, '+') THEN from_endpoint\n        WHEN starts_with(to_endpoint, '+') THEN to_endpoint\n        ELSE coalesce(from_endpoint, to_endpoint)\n    END)\n",
                    (),
                ),
                help_text="The other side, in lower case.",
                output_field=models.CharField(max_length=500, null=True),
            ),
        ),
        migrations.AddField(
            model_name="connection",
            name="talk_seconds",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.expressions.RawSQL(
                    "\n    CASE WHEN status = 'finished' AND ended_at >= started_at\n    THEN least(floor(extract(epoch FROM ended_at - started_at)), 2147483647)::integer END\n",
                    (),
                ),
                help_text="How long people talked, in whole seconds; NULL where it is not known, and while it lasts.",
                output_field=models.IntegerField(null=True),
            ),
        ),
        migrations.RemoveIndex(
            model_name="connection",
            name="connection_status_order",
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
                    ("export", "Export calls"),
                    ("tag", "Tag calls"),
                    ("untag", "Take a tag off calls"),
                    ("undo_tagging", "Undo a tagging of many calls"),
                    ("change_tag", "Make, change or delete a tag"),
                    ("contact", "Change a contact"),
                    ("import_contacts", "Import contacts"),
                    ("purge", "Purge old actions"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(
                condition=models.Q(("status__in", ("connecting", "connected"))),
                fields=["at", "id"],
                name="connection_in_progress",
            ),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(
                condition=models.Q(("status", "failed")), fields=["at", "id"], name="connection_failed"
            ),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(
                condition=models.Q(("operator__isnull", False)),
                fields=["operator", "at", "id"],
                name="connection_of_operator",
            ),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(fields=["party", "at", "id"], name="connection_party_order"),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(fields=["country", "at", "id"], name="connection_country_order"),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(
                django.db.models.functions.comparison.Coalesce("talk_seconds", -1),
                models.F("id"),
                name="connection_talk_order",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="callrequest",
            trigger=pgtrigger.compiler.Trigger(
                name="call_operator",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n                    IF TG_OP = 'UPDATE' AND OLD.connection_id IS DISTINCT FROM NEW.connection_id THEN\n                        UPDATE connections_app_connection\n                        SET operator_id = sift_operator_on_the_line(from_endpoint, to_endpoint)\n                        WHERE id = OLD.connection_id;\n                    END IF;\n                    UPDATE connections_app_connection SET operator_id = NEW.operator_id\n                    WHERE id = NEW.connection_id AND operator_id IS DISTINCT FROM NEW.operator_id;\n                    RETURN NULL;\n                ",
                    hash="bcec0555ce2ac39e7fd9b441a6f311872a08f892",
                    operation='INSERT OR UPDATE OF "connection_id", "operator_id"',
                    pgid="pgtrigger_call_operator_c745c",
                    table="connections_app_callrequest",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="connection",
            trigger=pgtrigger.compiler.Trigger(
                name="client_operator",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.operator_id IS NULL AND (NEW.from_endpoint ILIKE 'webrtc:%' OR NEW.to_endpoint ILIKE 'webrtc:%'))",
                    func="\n                    NEW.operator_id = sift_operator_on_the_line(NEW.from_endpoint, NEW.to_endpoint);\n                    RETURN NEW;\n                ",
                    hash="915c4fb885759a70c7cbff3e65d819f3a0e8bd6a",
                    operation='INSERT OR UPDATE OF "from_endpoint", "to_endpoint"',
                    pgid="pgtrigger_client_operator_14559",
                    table="connections_app_connection",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="connection",
            trigger=pgtrigger.compiler.Trigger(
                name="tag_order",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.at IS DISTINCT FROM NEW.at)",
                    func="\n                    UPDATE connections_app_calltag SET at = NEW.at WHERE connection_id = NEW.id;\n                    RETURN NULL;\n                ",
                    hash="215e191e0cdf871a800c2d81ce4503b037ccfbd2",
                    operation='UPDATE OF "started_at"',
                    pgid="pgtrigger_tag_order_69113",
                    table="connections_app_connection",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="bulktagged",
            name="connection",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, to="connections_app.connection"
            ),
        ),
        migrations.AddField(
            model_name="bulktagging",
            name="operator",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="bulktagged",
            name="bulk",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tagged",
                to="connections_app.bulktagging",
            ),
        ),
        migrations.AddField(
            model_name="calltag",
            name="connection",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="call_tags",
                to="connections_app.connection",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass("name", "gin_trgm_ops"),
                django.contrib.postgres.indexes.OpClass("endpoint", "gin_trgm_ops"),
                name="contact_searched",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                django.db.models.functions.text.Lower("name"), models.F("id"), name="contact_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("endpoint"),
                name="contact_endpoint_once",
                violation_error_message="There is a contact for this number or client.",
            ),
        ),
        migrations.AddField(
            model_name="export",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="exports",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="note",
            name="author",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="note",
            name="connection",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="notes",
                to="connections_app.connection",
            ),
        ),
        migrations.AddField(
            model_name="earliertext",
            name="note",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="earlier_texts",
                to="connections_app.note",
            ),
        ),
        migrations.AddField(
            model_name="savedview",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="saved_views",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="tag",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("name"),
                name="tag_name_once",
                violation_error_message="There is a tag of this name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="tag",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "colour__in",
                        ["blue", "teal", "green", "yellow", "orange", "red", "pink", "purple", "secondary"],
                    )
                ),
                name="tag_colour_known",
            ),
        ),
        migrations.AddField(
            model_name="calltag",
            name="tag",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="call_tags",
                to="connections_app.tag",
            ),
        ),
        migrations.AddField(
            model_name="bulktagging",
            name="tag",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="connections_app.tag"),
        ),
        migrations.AddConstraint(
            model_name="bulktagged",
            constraint=models.UniqueConstraint(fields=("bulk", "connection"), name="bulk_tagged_once"),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                condition=models.Q(("state__in", ["waiting", "running"])),
                fields=["asked_at"],
                name="export_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(
                models.F("owner"),
                django.db.models.functions.text.Lower("name"),
                name="saved_view_name_once",
                violation_error_message="You have a view of this name.",
            ),
        ),
        migrations.AddIndex(
            model_name="calltag",
            index=models.Index(fields=["tag", "at", "connection"], name="call_tag_order"),
        ),
        migrations.AddConstraint(
            model_name="calltag",
            constraint=models.UniqueConstraint(fields=("connection", "tag"), name="call_tag_once"),
        ),
        migrations.AddIndex(
            model_name="bulktagging",
            index=models.Index(
                condition=models.Q(("state__in", ["waiting", "running", "undoing"])),
                fields=["asked_at"],
                name="bulk_tagging_open",
            ),
        ),
        # The admin's lists.
        migrations.AddIndex(
            model_name="action",
            index=models.Index(fields=["verb", "at"], name="action_of_verb"),
        ),
        migrations.AddIndex(
            model_name="callback",
            index=models.Index(
                condition=models.Q(("status__gte", 400)), fields=["id"], name="callback_refused"
            ),
        ),
        migrations.AddIndex(
            model_name="callrequest",
            index=models.Index(fields=["outcome", "id"], name="call_request_outcome"),
        ),
        migrations.AddIndex(
            model_name="callrequest",
            index=models.Index(
                condition=models.Q(("phone_number", ""), _negated=True),
                fields=["phone_number"],
                name="call_request_number",
            ),
        ),
        migrations.AddIndex(
            model_name="callrequest",
            index=models.Index(
                condition=models.Q(("client_name", ""), _negated=True),
                fields=["client_name"],
                name="call_request_client",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                django.db.models.functions.text.Lower("name"),
                models.F("id"),
                condition=models.Q(("do_not_call", True)),
                name="contact_marked",
            ),
        ),
        migrations.AddIndex(
            model_name="push",
            index=models.Index(fields=["outcome", "id"], name="push_outcome"),
        ),
        migrations.AddIndex(
            model_name="walk",
            index=models.Index(
                condition=models.Q(("state", "completed"), _negated=True),
                fields=["id"],
                name="walk_not_completed",
            ),
        ),
        migrations.AddIndex(
            model_name="walk",
            index=models.Index(condition=models.Q(("full", True)), fields=["id"], name="walk_full"),
        ),
        migrations.RunSQL(STATISTICS, migrations.RunSQL.noop),
        migrations.RunSQL(PLACED_BY, migrations.RunSQL.noop),
        migrations.RunPython(give_permissions, migrations.RunPython.noop),
    ]
