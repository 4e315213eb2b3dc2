"""Calls as lines of CSV or of JSON, in the list's order, written by the database itself.

One COPY gives all lines, each as soon as its call is read: it joins nothing that would have to be sorted
again. What few calls have, a name or a tag, is looked for in a hash table first.
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

# More calls than these are written in the background.
INLINE_LIMIT = 100_000
# So long it is counted before it begins.
COUNTING = timedelta(milliseconds=100)
# What a spreadsheet would work out begins with = + - or @, also of full width, a tab, or a line's end.
FORMULA_STARTS = "61, 43, 45, 64, 65309, 65291, 65293, 65312, 9, 10, 13"
# Separates and encloses what no JSON text has, so that COPY leaves it as it is.
SEPARATORS = {Format.CSV: (",", '"'), Format.NDJSON: ("\x02", "\x01")}
# What of a call is read before names, tags and the operator are put to it.
READ = (
    *("id", "connection_id", "status", "doubt", "direction", "started_at", "ended_at", "at", "talk_seconds"),
    *("from_endpoint", "to_endpoint", "party", "country", "first_seen_at", "operator_id"),
)


def _safe(text: str) -> str:
    """`text` with an apostrophe before what a spreadsheet would work out, as in files of contacts."""
    # Letters and digits, with which most begin, are told by few comparisons.
    return f"""
        CASE WHEN ascii({text}) BETWEEN 65 AND 65279 OR ascii({text}) BETWEEN 48 AND 57 THEN {text}
        WHEN ascii(ltrim({text}, '''')) IN ({FORMULA_STARTS}) THEN '''' || {text} ELSE {text} END
    """


def _end(endpoint: str) -> str:
    """One end of a call; numbers as `tel:+1…`, which no spreadsheet takes for a sum or shortens."""
    return f"""
        CASE WHEN ascii({endpoint}) = 43 THEN 'tel:' || {endpoint}
        WHEN ascii({endpoint}) BETWEEN 48 AND 57 AND {endpoint} !~ '[^0-9]' THEN 'tel:' || {endpoint}
        ELSE {_safe(endpoint)} END
    """


def _known(endpoint: str) -> str:
    """The name of whose number or client this is."""
    found = f"FROM connections_app_contact AS known WHERE {folded('known.endpoint')} = {folded(endpoint)}"
    return f"CASE WHEN EXISTS (SELECT {found}) THEN (SELECT known.name {found}) END"


def _word(column: str, choices: Iterable[tuple[str, Any]], otherwise: str = "''") -> str:
    cases = " ".join(f"WHEN '{value}' THEN '{label}'" for value, label in choices)
    return f"CASE {column} {cases} ELSE {otherwise} END"


# People and tags are few: all their names are read once.
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
# Most calls are finished, and in no doubt.
STATUS = f"""
    CASE call.doubt WHEN '' THEN {_word("call.status", reversed(Status.choices))}
    ELSE {_word("call.doubt", Doubt.choices)} END
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list: its cells in CSV by their heading, and its members in JSON by their names."""

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
            # `2026-05-31 14:30:00+02`, in the zone of the database session; to_char would take far longer.
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

# Each level reads the one below in its order: to ask for it again here would have all calls sorted once more.
# They are kept apart, so that what they give is worked out once; what no cell takes is not worked out at all.
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
    """What is to be written: the calls that `query`, a list's query string, asks for in a zone, and how."""

    query: str
    format: Format
    columns: Sequence[str]
    time_zone: str

    @property
    def zone(self) -> str:
        """In which zone the database is to write times."""
        return self.time_zone if self.format == Format.CSV else "UTC"


def columns_for(operator: Operator) -> list[str]:
    """The names of the columns that a person sees; the id is always among them."""
    hides = hidden(operator, List.CALLS)
    return [column.name for column in COLUMNS if column.name not in hides]


def file_name(form: CallsForm, format: Format) -> str:
    """`calls_2026-05-01_2026-05-31.csv`: the days asked for, or those of the calls there are."""
    since, until = form.cleaned_data["since"], form.cleaned_data["until"]
    ends = [since, until and until - timedelta(microseconds=1)]
    for number, order in enumerate(("at", "-at")):
        ends[number] = ends[number] or Connection.objects.order_by(order).values_list("at", flat=True).first()
    days = [f"{timezone.localtime(end):%Y-%m-%d}" for end in ends if end]
    return "_".join(["calls", *days]) + f".{format}"


def counted(calls: ConnectionQuerySet) -> time_limits.Count:
    """How many calls there are: exact where that takes hardly any time."""
    try:
        with within(COUNTING):
            return time_limits.Count(calls.order_by().count(), is_exact=True)
    except TooSlow:
        return time_limits.count(calls)


def heading(asked: ExportRequest) -> bytes:
    """What the file begins with: in CSV the columns, marked as UTF-8 for spreadsheets."""
    if asked.format == Format.NDJSON:
        return b""
    names = [f'"{name}"' if "," in name else name for one in _shown(asked) for name in one.cells]
    return f"\ufeff{','.join(names)}\r\n".encode()


def statement(asked: ExportRequest) -> tuple[str, Sequence[Any]] | None:
    """Return the COPY that gives the lines, with its values.

    None where no call can match. Raises `Refused`.
    """
    with timezone.override(Zone(asked.time_zone)):
        form = form_of(QueryDict(asked.query))
        order = order_of(form)
        calls = order.sorted(order.keyed(filtered(form))).values(*READ)
    try:
        inner, values = calls.query.sql_with_params()
    except EmptyResultSet:
        return None
    delimiter, quote = SEPARATORS[asked.format]
    copy = LINES.format(
        calls=inner, cells=_cells(asked), delimiter=_escaped(delimiter), quote=_escaped(quote)
    )
    return copy, values


def body(asked: ExportRequest, rows: Sequence[bytes]) -> bytes:
    """The lines that COPY gave, as they stand in the file."""
    end = b"\r\n" if asked.format == Format.CSV else b"\n"
    return end.join([row[:-1] for row in rows]) + end if rows else b""


def _shown(asked: ExportRequest) -> list[Column]:
    return [column for column in COLUMNS if column.name in asked.columns or column.name == "id"]


def _cells(asked: ExportRequest) -> str:
    if asked.format == Format.CSV:
        return ", ".join(cell for column in _shown(asked) for cell in column.cells.values())
    members = [f"'{name}', {value}" for column in _shown(asked) for name, value in column.members.items()]
    return f"json_build_object({', '.join(members)})"


def _escaped(character: str) -> str:
    return f"\\x{ord(character):02x}"
