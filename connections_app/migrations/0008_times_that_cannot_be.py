"""Take out the times that Sift cannot have meant: before the year 2000, or more than a day ahead.

Earlier versions stored them. They stay in `raw`, and each repair is an event of its call. Only the rows that
have such a time are written, a range of keys at a time, so that nothing waits for long.
"""

from typing import Any

from django.db import migrations, models

ROWS_AT_ONCE = 20_000
SOURCES = [
    ("list", "List"),
    ("retrieve", "Read one by one"),
    ("callback", "Callback"),
    ("placing", "Answer to placing"),
    ("person", "A person"),
    ("upgrade", "An upgrade"),
]


def cannot_be(time: str) -> str:
    return f"({time} < '2000-01-01 00:00+00' OR {time} > now() + interval '1 day')"


# Locked in the order in which the merging of what Sift says locks them.
REPAIR = f"""
    UPDATE connections_app_connection SET
        started_at = CASE WHEN {cannot_be("started_at")} THEN NULL ELSE started_at END,
        ended_at = CASE WHEN {cannot_be("ended_at")} THEN NULL ELSE ended_at END,
        changed_at = clock_timestamp(), change_source = 'upgrade',
        change_number = nextval('connections_app_change')
    WHERE id IN (
        SELECT id FROM connections_app_connection
        WHERE id BETWEEN %s AND %s AND ({cannot_be("started_at")} OR {cannot_be("ended_at")})
        ORDER BY connection_id FOR UPDATE
    )
"""  # noqa: S608 - names of our own
# From where on calls are new is then found out by a walk over the whole list.
FORGET_MARKS = f"""
    UPDATE connections_app_syncstate
    SET watermark = NULL, full_mark = NULL, full_cursor = '', full_wanted = true
    WHERE {cannot_be("watermark")} OR {cannot_be("full_mark")}
"""  # noqa: S608 - names of our own


def repair(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT min(id), max(id) FROM connections_app_connection")
        first, last = cursor.fetchone()
        if first is not None:
            for low in range(first, last + 1, ROWS_AT_ONCE):
                cursor.execute(REPAIR, [low, low + ROWS_AT_ONCE - 1])
        cursor.execute(FORGET_MARKS)


class Migration(migrations.Migration):
    # Each statement by itself: no lock is held for longer than its rows take.
    atomic = False

    dependencies = [("connections_app", "0007_dialling")]

    operations = [
        migrations.AlterField(
            "connection", "change_source", models.CharField(choices=SOURCES, max_length=16)
        ),
        migrations.AlterField("connection", "first_source", models.CharField(choices=SOURCES, max_length=16)),
        migrations.AlterField("connectionevent", "source", models.CharField(choices=SOURCES, max_length=16)),
        migrations.RunPython(repair, migrations.RunPython.noop, elidable=True),
    ]
