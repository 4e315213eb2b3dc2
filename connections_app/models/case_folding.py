"""Compare endpoints without regard to case, only with PostgreSQL's `lower()`.

Python's `str.lower()` differs from it in the last sigma of a word, in `İ`, and, depending on the database's
locale, in much more. So only the database folds the case of endpoints that are compared: pass them to a query
unchanged.
"""

from collections.abc import Iterable

from django.db import connection as database
from django.db.models import CharField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower

CLIENT = "webrtc:"


def folded(endpoint: str) -> str:
    """Return the SQL for the key of the endpoint in the SQL `endpoint`; equal keys are the same endpoint."""
    return f"lower({endpoint})"


def folded_client(endpoint: str) -> str:
    """Return the SQL for the key of a browser client's name without `webrtc:`; NULL for other endpoints."""
    return (
        f"CASE WHEN starts_with({folded(endpoint)}, '{CLIENT}')"
        f" THEN {folded(f'btrim(substr({endpoint}, {len(CLIENT) + 1}))')} END"
    )


def without_client(endpoint: str) -> str:
    """Return the SQL for an endpoint without surrounding spaces and without `webrtc:`."""
    return (
        f"CASE WHEN starts_with({folded(f'btrim({endpoint})')}, '{CLIENT}')"
        f" THEN btrim(substr(btrim({endpoint}), {len(CLIENT) + 1})) ELSE btrim({endpoint}) END"
    )


# The key of an endpoint in a column. Migrations refer to it in constraints, so it is Django's own class.
Folded = Lower
# Names of tags and views are compared alike: `name__lower=key_of(name)`.
CharField.register_lookup(Lower)


def key_of(endpoint: str) -> Lower:
    """Return the key of one endpoint or name, for filters."""
    return Folded(Value(endpoint))


def keys_of(endpoints: Iterable[str]) -> RawSQL:
    """Return the keys of endpoints, for filters with `__in`."""
    return RawSQL(f"SELECT {folded('one')} FROM unnest(%s::text[]) AS one", [list(endpoints)])  # noqa: S608, S611


def keyed(endpoints: Iterable[str]) -> dict[str, str]:
    """Return the key of each endpoint, by the endpoint as written. One query."""
    with database.cursor() as cursor:
        cursor.execute(
            f"SELECT one, {folded('one')} FROM unnest(%s::text[]) AS one",  # noqa: S608
            [list(dict.fromkeys(endpoints))],
        )
        return dict(cursor.fetchall())
