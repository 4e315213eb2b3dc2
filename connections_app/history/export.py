"""Calls as lines of CSV or of JSON, in the list's order, written by the database itself.

Lines are read in batches with COPY, each batch beyond the place of the one before: a batch needs little
memory on either side, and whoever was cut off goes on from the last place.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection as database
from django.db import transaction
from django.db.models import F
from django.http import QueryDict
from django.utils import timezone

from connections_app.columns import List, hidden
from connections_app.history import reading
from connections_app.history.asked import form_of
from connections_app.history.filters import CallsForm, filtered, order_of
from connections_app.history.links import words
from connections_app.history.paging import Order, Place
from connections_app.history.reading import TooSlow, within
from connections_app.models import Connection, Direction, Doubt, Export, Operator, Status
from connections_app.models.connection import ConnectionQuerySet

Format = Export.Format

# More calls than these are written in the background.
AT_ONCE = 100_000
# The first batch is small, so that a person sees at once that something comes.
FIRST_BATCH, BATCH = 1_000, 10_000
# So long it is counted before a file is made.
COUNTING = timedelta(seconds=2)
# What a spreadsheet would work out begins with one of these: = + - @, a tab, a return.
WORKED_OUT = "61, 43, 45, 64, 9, 13"
# Separates and encloses what no JSON text has, so that COPY leaves it as it is.
SEPARATORS = {Format.CSV: (",", '"'), Format.NDJSON: ("\x02", "\x01")}
# What of a call is read before names, tags and the operator are put to it.
READ = (
    *("id", "connection_id", "status", "doubt", "direction", "started_at", "ended_at", "at", "talk_seconds"),
    *("from_endpoint", "to_endpoint", "party", "country", "first_seen_at", "operator_id"),
)


def _safe(text: str) -> str:
    """`text` with an apostrophe before what a spreadsheet would work out, as in files of contacts."""
    return f"CASE WHEN ascii(ltrim({text}, '''')) IN ({WORKED_OUT}) THEN '''' || {text} ELSE {text} END"


def _end(endpoint: str) -> str:
    """One end of a call; numbers as `tel:+1…`, which no spreadsheet takes for a sum or shortens."""
    return f"CASE WHEN starts_with({endpoint}, '+') THEN 'tel:' || {endpoint} ELSE {_safe(endpoint)} END"


def _local(moment: str) -> str:
    """`2026-05-31T14:30:00+02:00`, in the zone of the database session."""
    return f"""to_char({moment}, 'YYYY-MM-DD"T"HH24:MI:SSTZH:TZM')"""


def _word(column: str, choices: Iterable[tuple[str, Any]], otherwise: str = "''") -> str:
    cases = " ".join(f"WHEN '{value}' THEN '{label}'" for value, label in choices)
    return f"CASE {column} {cases} ELSE {otherwise} END"


OPERATOR = "coalesce(nullif(btrim(person.first_name || ' ' || person.last_name), ''), person.username)"
STATUS = _word(
    "call.doubt", [pair for pair in Doubt.choices if pair[0]], _word("call.status", Status.choices)
)


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
        {"With": _end("call.with_endpoint"), "Name": _safe("party.name")},
        {"with": "call.with_endpoint", "with_name": "nullif(party.name, '')"},
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
            "Started": _local("call.at"),
            "Start": "CASE WHEN call.started_at IS NULL THEN 'first seen' END",
            "Ended": _local("call.ended_at"),
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
        {"From": _end("call.from_endpoint"), "From name": _safe("caller.name")},
        {"from": "call.from_endpoint", "from_name": "nullif(caller.name, '')"},
    ),
    Column(
        "to",
        {"To": _end("call.to_endpoint"), "To name": _safe("callee.name")},
        {"to": "call.to_endpoint", "to_name": "nullif(callee.name, '')"},
    ),
    Column("operator", {"Operator": _safe(OPERATOR)}, {"operator": OPERATOR}),
    Column("tags", {"Tags": _safe("tags.names")}, {"tags": "coalesce(tags.listed, '{}')"}),
)

# The ends of a call have one contact at the most; each is looked up by its index, or all by a hash.
LINES = """
    COPY (
        SELECT {place} AS place, {cells}
        FROM (
            SELECT *, CASE WHEN lower(from_endpoint) = party THEN from_endpoint ELSE to_endpoint END
                AS with_endpoint
            FROM ({calls}) AS asked
        ) AS call
        LEFT JOIN connections_app_contact AS party ON lower(party.endpoint) = call.party
        LEFT JOIN connections_app_contact AS caller ON lower(caller.endpoint) = lower(call.from_endpoint)
        LEFT JOIN connections_app_contact AS callee ON lower(callee.endpoint) = lower(call.to_endpoint)
        LEFT JOIN connections_app_operator AS person ON person.id = call.operator_id
        LEFT JOIN LATERAL (
            SELECT string_agg(tag.name, ', ' ORDER BY lower(tag.name)) AS names,
                array_agg(tag.name ORDER BY lower(tag.name)) AS listed
            FROM connections_app_calltag AS put JOIN connections_app_tag AS tag ON tag.id = put.tag_id
            WHERE put.connection_id = call.id
        ) AS tags ON true
        ORDER BY call.standing {way}, call.id {way}
    ) TO STDOUT (FORMAT csv, DELIMITER E'{delimiter}', QUOTE E'{quote}')
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be written: the calls that `query`, a list's query string, asks for in a zone, and how."""

    query: str
    format: Format
    columns: Sequence[str]
    time_zone: str

    @property
    def zone(self) -> str:
        """In which zone the database is to write times."""
        return self.time_zone if self.format == Format.CSV else "UTC"


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines as they are written, how many they are, and where the last one's call stands."""

    body: bytes
    rows: int
    place: str


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


def filter_words(query: str) -> str:
    """The filter that a query string holds, in words, also one that is not understood any more."""
    form = CallsForm(QueryDict(query))
    form.is_valid()
    return words(form, QueryDict(query))


def counted(calls: ConnectionQuerySet) -> reading.Count:
    """How many calls there are: exact where that takes no more than two seconds."""
    try:
        with within(COUNTING):
            return reading.Count(calls.order_by().count(), is_exact=True)
    except TooSlow:
        return reading.count(calls)


def heading(asked: Asked) -> bytes:
    """What the file begins with: in CSV the columns, marked as UTF-8 for spreadsheets."""
    if asked.format == Format.NDJSON:
        return b""
    names = [f'"{name}"' if "," in name else name for one in _shown(asked) for name in one.cells]
    return f"\ufeff{','.join(names)}\r\n".encode()


def statement(asked: Asked, place: str, rows: int) -> tuple[str, Sequence[Any]] | None:
    """COPY for the next `rows` lines beyond `place`, with its values; None where no call can match.

    Without a place, from the first one on. Raises `Refused`, and `BadPlace`.
    """
    with timezone.override(asked.time_zone):
        form = form_of(QueryDict(asked.query))
        order = order_of(form)
        calls = order.keyed(filtered(form))
        if place:
            calls = order.beyond(calls, Place.parse(place))
        wanted = order.sorted(calls).annotate(standing=F("place_value")).values(*READ, "standing")[:rows]
    try:
        inner, values = wanted.query.sql_with_params()
    except EmptyResultSet:
        return None
    delimiter, quote = SEPARATORS[asked.format]
    copy = LINES.format(
        calls=inner,
        cells=_cells(asked),
        place=_place(order),
        way="DESC" if order.descending else "ASC",
        delimiter=_escaped(delimiter),
        quote=_escaped(quote),
    )
    return copy, values


def lines(asked: Asked, rows: Sequence[Any]) -> Lines:
    """The lines that COPY gave, each of which begins with its place."""
    delimiter = SEPARATORS[asked.format][0].encode()
    end = b"\r\n" if asked.format == Format.CSV else b"\n"
    place, written = b"", []
    for row in rows:
        place, _, line = bytes(row).partition(delimiter)
        written.append(line[:-1])
    return Lines(end.join(written) + end if written else b"", len(written), place.decode())


def read(asked: Asked, place: str, rows: int) -> Lines:
    """The next lines, over Django's own connection. Raises `Refused`, and `BadPlace`."""
    wanted = statement(asked, place, rows)
    if wanted is None:
        return Lines(b"", 0, place)
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [asked.zone])
        with cursor.copy(*wanted) as copy:
            got = list(copy)
        # Django takes each time it reads for one in UTC.
        cursor.execute("SELECT set_config('TimeZone', 'UTC', true)")
    return lines(asked, got)


def _shown(asked: Asked) -> list[Column]:
    return [column for column in COLUMNS if column.name in asked.columns or column.name == "id"]


def _cells(asked: Asked) -> str:
    if asked.format == Format.CSV:
        return ", ".join(cell for column in _shown(asked) for cell in column.cells.values())
    members = [f"'{name}', {value}" for column in _shown(asked) for name, value in column.members.items()]
    return f"json_build_object({', '.join(members)})"


def _place(order: Order) -> str:
    """As `Place` is written."""
    value = "call.standing" if order.is_by_talk else "(extract(epoch FROM call.standing) * 1000000)::bigint"
    return f"{value} || '-' || call.id"


def _escaped(character: str) -> str:
    return f"\\x{ord(character):02x}"
