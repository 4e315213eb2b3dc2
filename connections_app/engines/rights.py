"""What the role may do that the dashboard works with, where the tables belong to another one.

It reads and writes rows. To the audit log it only adds: no statement of the dashboard, wanted or not, can
change or remove what people did. Only `connections_app_purge_actions`, which runs as its owner, removes what
is old.
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
    """Give `role`, which owns nothing, the rights that the dashboard needs. Raises `DatabaseError`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        names = {"schema": sql.Identifier(cursor.fetchone()[0]), "role": sql.Identifier(role)}
        cursor.execute(sql.SQL(GRANTS).format(**names))
