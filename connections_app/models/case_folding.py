"""Whether two endpoints are the same in whatever case: PostgreSQL's `lower()` decides, and nothing else.

Python's `str.lower()` differs from it: in the last sigma of a word, in `İ`, and, with the locale of the
database, in much more. So nothing outside of the database changes the case of an endpoint in order to compare
it: what is to be compared is given to a query as it is written.
"""

from collections.abc import Iterable

from django.db import connection as database
from django.db.models import CharField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower

CLIENT = "webrtc:"


def folded(endpoint: str) -> str:
    """The SQL for the key of an endpoint, whose own SQL is `endpoint`: equal keys are the same endpoint."""
    return f"lower({endpoint})"


def folded_client(endpoint: str) -> str:
    """The SQL for the key of a browser client's name, without `webrtc:`; NULL for any other endpoint."""
    return (
        f"CASE WHEN starts_with({folded(endpoint)}, '{CLIENT}')"
        f" THEN {folded(f'btrim(substr({endpoint}, {len(CLIENT) + 1}))')} END"
    )


def without_client(endpoint: str) -> str:
    """The SQL for an endpoint without spaces around it, and without `webrtc:` before it."""
    return (
        f"CASE WHEN starts_with({folded(f'btrim({endpoint})')}, '{CLIENT}')"
        f" THEN btrim(substr(btrim({endpoint}), {len(CLIENT) + 1})) ELSE btrim({endpoint}) END"
    )


# The key of an endpoint that a column holds. Constraints name it, so it is Django's own class.
Folded = Lower
# Names of tags and views are compared in the same way: `name__lower=key_of(name)`.
CharField.register_lookup(Lower)


def key_of(endpoint: str) -> Lower:
    """The key of one endpoint, or name, for filters."""
    return Folded(Value(endpoint))


def keys_of(endpoints: Iterable[str]) -> RawSQL:
    """The keys of endpoints, for filters with `__in`."""
    return RawSQL(f"SELECT {folded('one')} FROM unnest(%s::text[]) AS one", [list(endpoints)])  # noqa: S608, S611


def keyed(endpoints: Iterable[str]) -> dict[str, str]:
    """The key of each endpoint, by the endpoint as it is written. One query."""
    with database.cursor() as cursor:
        cursor.execute(
            f"SELECT one, {folded('one')} FROM unnest(%s::text[]) AS one",  # noqa: S608
            [list(dict.fromkeys(endpoints))],
        )
        return dict(cursor.fetchall())
