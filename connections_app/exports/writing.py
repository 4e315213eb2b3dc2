"""Write calls as lines of CSV or JSON, in the list's order, by the database itself.

One COPY returns all lines, each as soon as its call is read: it has no join whose result would need sorting
again. Names and tags, which few calls have, are looked up in a hash table first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.http import QueryDict
from django.utils import timezone

from connections_app.call_list import time_limits
from connections_app.call_list.filters import CallsForm, filtered, order_of
from connections_app.call_list.query import form_of
from connections_app.call_list.time_limits import TooSlow, within
from connections_app.models import Connection, Direction, Doubt, Export, Operator, Status
from connections_app.models.case_folding import folded
from connections_app.models.connection import OTHER_SIDE, ConnectionQuerySet
from connections_app.web.columns import List, hidden
from connections_app.web.time_zones import Zone

Format = Export.Format

INLINE_LIMIT = 100_000  # calls; more are written in the background
COUNT_TIMEOUT = timedelta(milliseconds=100)  # then the number is estimated
# Code points of = + - @, also in full width, tab and line ends: spreadsheets run cells that begin with them.
FORMULA_STARTS = "61, 43, 45, 64, 65309, 65291, 65293, 65312, 9, 10, 13"
# No JSON text contains these two control characters, so COPY leaves its lines unchanged.
SEPARATORS = {Format.CSV: (",", '"'), Format.NDJSON: ("\x02", "\x01")}
# Fields of a call that are read before names, tags and the operator are added.
READ = (
    *("id", "connection_id", "status", "doubt", "direction", "started_at", "ended_at", "at", "talk_seconds"),
    *("from_endpoint", "to_endpoint", "party", "country", "first_seen_at", "operator_id"),
)


def _safe(text: str) -> str:
    """Return SQL for `text`, escaped as by `escape_formula` in files of contacts."""
    # Most texts begin with a letter or digit, which the first comparisons find.
    return f"""
        CASE WHEN ascii({text}) BETWEEN 65 AND 65279 OR ascii({text}) BETWEEN 48 AND 57 THEN {text}
        WHEN ascii(ltrim({text}, '''')) IN ({FORMULA_STARTS}) THEN '''' || {text} ELSE {text} END
    """


def _end(endpoint: str) -> str:
    """Return SQL for an endpoint; numbers as `tel:+1…`, which no spreadsheet takes for a sum or shortens."""
    return f"""
        CASE WHEN ascii({endpoint}) = 43 THEN 'tel:' || {endpoint}
        WHEN ascii({endpoint}) BETWEEN 48 AND 57 AND {endpoint} !~ '[^0-9]' THEN 'tel:' || {endpoint}
        ELSE {_safe(endpoint)} END
    """


def _known(endpoint: str) -> str:
    """Return SQL for the name of the contact of this endpoint."""
    found = f"FROM connections_app_contact AS known WHERE {folded('known.endpoint')} = {folded(endpoint)}"
    return f"CASE WHEN EXISTS (SELECT {found}) THEN (SELECT known.name {found}) END"


def _word(column: str, choices: Iterable[tuple[str, Any]], otherwise: str = "''") -> str:
    cases = " ".join(f"WHEN '{value}' THEN '{label}'" for value, label in choices)
    return f"CASE {column} {cases} ELSE {otherwise} END"


# There are few people and tags: all their names are read once.
OPERATOR = """
    (
        SELECT jsonb_object_agg(
            id, coalesce(nullif(btrim(first_name || ' ' || last_name), ''), username)
        )
        FROM connections_app_operator
    ) ->> call.operator_id::text
"""
PUT = "FROM connections_app_calltag AS put WHERE put.connection_id = call.id"
TAGS = f"""
    CASE WHEN EXISTS (SELECT {PUT}) THEN array(
        SELECT (SELECT jsonb_object_agg(id, name) FROM connections_app_tag) ->> put.tag_id::text AS name
        {PUT} ORDER BY name
    ) END
"""  # noqa: S608
# Most calls are finished, and not in doubt: these cases come first.
STATUS = f"""
    CASE call.doubt WHEN '' THEN {_word("call.status", reversed(Status.choices))}
    ELSE {_word("call.doubt", Doubt.choices)} END
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list: SQL of its cells in CSV by heading, and of its members in JSON by name."""

    name: str
    cells: dict[str, str]
    members: dict[str, str]


COLUMNS = (
    Column("id", {"Call id": _safe("call.connection_id")}, {"connection_id": "call.connection_id"}),
    Column("status", {"Status": STATUS}, {"status": "call.status", "doubt": "nullif(call.doubt, '')"}),
    Column(
        "with",
        {"With": _end("call.with_endpoint"), "Name": _safe("call.with_name")},
        {"with": "call.with_endpoint", "with_name": "nullif(call.with_name, '')"},
    ),
    Column("country", {"Country": "call.country"}, {"country": "call.country"}),
    Column(
        "direction",
        {"Direction": _word("call.direction", Direction.choices)},
        {"direction": "call.direction"},
    ),
    Column(
        "since",
        {
            # `2026-05-31 14:30:00+02`, in the time zone of the database session; to_char is far slower.
            "Started": "coalesce(call.started_at, date_trunc('second', call.first_seen_at))",
            "Start": "CASE WHEN call.started_at IS NULL THEN 'first seen' END",
            "Ended": "call.ended_at",
        },
        {
            "start_time": "call.started_at",
            "end_time": "call.ended_at",
            "first_seen_at": "call.first_seen_at",
        },
    ),
    Column("for", {"Talked (seconds)": "call.talk_seconds"}, {"talk_seconds": "call.talk_seconds"}),
    Column(
        "from",
        {"From": _end("call.from_endpoint"), "From name": _safe("call.from_name")},
        {"from": "call.from_endpoint", "from_name": "nullif(call.from_name, '')"},
    ),
    Column(
        "to",
        {"To": _end("call.to_endpoint"), "To name": _safe("call.to_name")},
        {"to": "call.to_endpoint", "to_name": "nullif(call.to_name, '')"},
    ),
    Column("operator", {"Operator": _safe("call.operator")}, {"operator": "call.operator"}),
    Column("tags", {"Tags": _safe("call.tag_names")}, {"tags": "coalesce(call.tags, '{}')"}),
)

# Each level keeps the order of the one below: another ORDER BY here would sort all calls a second time.
# OFFSET 0 keeps the levels separate, so that each value is computed once, or never if no cell uses it.
LINES = f"""
    COPY (
        SELECT {{cells}}
        FROM (
            SELECT *,
                CASE WHEN with_endpoint = from_endpoint THEN from_name ELSE to_name END AS with_name
            FROM (
                SELECT *,
                    {OTHER_SIDE} AS with_endpoint,
                    {_known("call.from_endpoint")} AS from_name,
                    {_known("call.to_endpoint")} AS to_name,
                    {OPERATOR} AS operator,
                    {TAGS} AS tags,
                    array_to_string({TAGS}, ', ') AS tag_names
                FROM ({{calls}}) AS call
                OFFSET 0
            ) AS call
        ) AS call
    ) TO STDOUT (FORMAT csv, DELIMITER E'{{delimiter}}', QUOTE E'{{quote}}')
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """The calls to write, by `query`, a list's query string, in `time_zone`; and their format and columns."""

    query: str
    format: Format
    columns: Sequence[str]
    time_zone: str

    @property
    def zone(self) -> str:
        """Return the time zone in which the database writes times."""
        return self.time_zone if self.format == Format.CSV else "UTC"


def columns_for(operator: Operator) -> list[str]:
    """Return the names of the columns that `operator` has not hidden."""
    hides = hidden(operator, List.CALLS)
    return [column.name for column in COLUMNS if column.name not in hides]


def file_name(form: CallsForm, format: Format) -> str:
    """Return `calls_2026-05-01_2026-05-31.csv`, with the days of the filter, or else of the stored calls."""
    since, until = form.cleaned_data["since"], form.cleaned_data["until"]
    ends = [since, until and until - timedelta(microseconds=1)]
    for number, order in enumerate(("at", "-at")):
        ends[number] = ends[number] or Connection.objects.order_by(order).values_list("at", flat=True).first()
    days = [f"{timezone.localtime(end):%Y-%m-%d}" for end in ends if end]
    return "_".join(["calls", *days]) + f".{format}"


def count(calls: ConnectionQuerySet) -> time_limits.Count:
    """Return the number of calls, which is exact if counting is fast."""
    try:
        with within(COUNT_TIMEOUT):
            return time_limits.Count(calls.order_by().count(), is_exact=True)
    except TooSlow:
        return time_limits.count(calls)


def heading(request: ExportRequest) -> bytes:
    """Return the first line of the file: in CSV the columns, after a byte order mark; in JSON nothing."""
    if request.format == Format.NDJSON:
        return b""
    names = [f'"{name}"' if "," in name else name for one in _shown(request) for name in one.cells]
    return f"\ufeff{','.join(names)}\r\n".encode()


def statement(request: ExportRequest) -> tuple[str, Sequence[Any]] | None:
    """Return the COPY for the lines, and its values; None if no call can match. Raises `Refused`."""
    with timezone.override(Zone(request.time_zone)):
        form = form_of(QueryDict(request.query))
        order = order_of(form)
        calls = order.sorted(order.keyed(filtered(form))).values(*READ)
    try:
        inner, values = calls.query.sql_with_params()
    except EmptyResultSet:
        return None
    delimiter, quote = SEPARATORS[request.format]
    copy = LINES.format(
        calls=inner, cells=_cells(request), delimiter=_escaped(delimiter), quote=_escaped(quote)
    )
    return copy, values


def body(request: ExportRequest, rows: Sequence[bytes]) -> bytes:
    """Return the lines from COPY with the line ends of the format."""
    end = b"\r\n" if request.format == Format.CSV else b"\n"
    return end.join([row[:-1] for row in rows]) + end if rows else b""


def _shown(request: ExportRequest) -> list[Column]:
    return [column for column in COLUMNS if column.name in request.columns or column.name == "id"]


def _cells(request: ExportRequest) -> str:
    if request.format == Format.CSV:
        return ", ".join(cell for column in _shown(request) for cell in column.cells.values())
    members = [f"'{name}', {value}" for column in _shown(request) for name, value in column.members.items()]
    return f"json_build_object({', '.join(members)})"


def _escaped(character: str) -> str:
    return f"\\x{ord(character):02x}"
