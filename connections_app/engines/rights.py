"""The privileges of the dashboard's database role, if the tables belong to another role.

It reads and writes rows, and only adds to the audit log: no statement of the dashboard, not even an injected
one, can change or remove entries. Only `connections_app_purge_actions`, which runs as its owner, removes old
ones.
"""

from django.db import connection, transaction
from psycopg import sql

GRANTS = """
    GRANT USAGE ON SCHEMA {schema} TO {role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
    GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
    REVOKE UPDATE, DELETE ON connections_app_action FROM {role};
"""


@transaction.atomic
def grant(role: str) -> None:
    """Grant `role`, which owns nothing, the privileges that the dashboard needs. Raises `DatabaseError`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        names = {"schema": sql.Identifier(cursor.fetchone()[0]), "role": sql.Identifier(role)}
        cursor.execute(sql.SQL(GRANTS).format(**names))
