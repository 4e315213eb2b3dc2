"""Ids are found as a whole or by their beginning; the trigrams of an id were most of the cost of the search index."""

import django.contrib.postgres.indexes
import django.db.models.functions.comparison
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

ENDS = models.Func(
    django.db.models.functions.comparison.Coalesce("from_endpoint", models.Value("")),
    django.db.models.functions.comparison.Coalesce("to_endpoint", models.Value("")),
    arg_joiner=" || E'\\n' || ",
    output_field=models.TextField(),
    template="(E'\\n' || %(expressions)s || E'\\n')",
)


class Migration(migrations.Migration):
    # The index is built while calls are read and written; each step is committed by itself.
    atomic = False
    dependencies = [("connections_app", "0012_unusable_rows")]

    operations = [
        # What an interrupted build left is invalid.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS connection_ends", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "connection",
            django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(ENDS, "gin_trgm_ops"), name="connection_ends"
            ),
        ),
        migrations.RunSQL(
            "ALTER INDEX connection_ends ALTER COLUMN 1 SET STATISTICS 1000", migrations.RunSQL.noop
        ),
        RemoveIndexConcurrently("connection", "connection_searched"),
        migrations.RemoveField("connection", "searched"),
        # Its unique index is built again while calls wait: about a second for a million.
        migrations.AlterField(
            "connection", "connection_id", models.CharField(db_collation="C", max_length=255)
        ),
        migrations.RunSQL("ANALYZE connections_app_connection", migrations.RunSQL.noop),
    ]
