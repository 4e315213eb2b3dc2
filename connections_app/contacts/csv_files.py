"""Read contacts from the CSV that spreadsheets save; write CSV whose cells no spreadsheet runs as formulas.

`parse` reads what `csv_lines` writes. Numbers are written as `tel:+1…`, which no spreadsheet takes for a sum
or shortens.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from connections_app.contacts.endpoint_input import (
    InvalidEndpoint,
    parse_client,
    parse_endpoint,
    parse_number,
)
from connections_app.models import Contact
from connections_app.models.case_folding import keyed
from connections_app.models.characters import NO_NAME, is_seen
from connections_app.sift.placeholders import NOT_TEXT

MAX_FILE_BYTES = 5 * 2**20
MAX_LINES = 50_000
MAX_COLUMNS = 100
LONGEST_NAME = Contact._meta.get_field("name").max_length or 0
LONGEST_NOTES = Contact._meta.get_field("notes").max_length or 0
LONGEST_SHOWN = 80
SEPARATORS = ",;\t"
NUMBER, ENDPOINT = "number", "endpoint"
ENDPOINT_COLUMNS = (NUMBER, "client", ENDPOINT)
COLUMNS = (ENDPOINT, "name", "notes", "do_not_call")
# The names of each column, in lower case and with spaces for underscores and dashes.
HEADERS = {
    "name": "name",
    "contact": "name",
    "full name": "name",
    "number": NUMBER,
    "phone": NUMBER,
    "phone number": NUMBER,
    "telephone": NUMBER,
    "tel": NUMBER,
    "mobile": NUMBER,
    "client": "client",
    "client name": "client",
    "browser client": "client",
    "endpoint": ENDPOINT,
    "notes": "notes",
    "note": "notes",
    "do not call": "do_not_call",
    "dnc": "do_not_call",
}
EMPTY_LINE = "It has neither a name nor notes, and says nothing of a mark."
YES, NO = {"yes", "y", "true", "1", "x"}, {"no", "n", "false", "0"}
# Cells that a spreadsheet would run, with the apostrophes that were put before them.
FORMULA_STARTS = r"[=+\-@＝＋－＠\t\r\n]"
FORMULA, ESCAPED_FORMULA = re.compile(f"'*{FORMULA_STARTS}"), re.compile(f"'+{FORMULA_STARTS}")


class Unreadable(ValueError):
    """The file cannot be read at all; `str()` is the reason."""


class BadLine(ValueError):
    """A line cannot be imported; `str()` is the reason."""


@dataclass(frozen=True, slots=True)
class Line:
    """One contact of a file; `do_not_call` is None if the cell is empty."""

    number: int
    endpoint: str
    name: str
    notes: str
    do_not_call: bool | None

    @property
    def is_empty(self) -> bool:
        """Return True if the line has no name, no notes and no mark."""
        return not self.name and not self.notes and self.do_not_call is None


@dataclass(frozen=True, slots=True)
class Bad:
    """A line that cannot be imported, and why; `text` is its beginning."""

    number: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """The contents of a file, with one line for each number or client; `ignored` are the unknown columns."""

    lines: list[Line]
    bad: list[Bad]
    merged: int
    ignored: list[str]


def parse(content: bytes, country: str) -> ParsedFile:
    """Parse a CSV file; numbers without a `+` belong to `country`. Raises `Unreadable`. One query."""
    text = _decoded(content)
    rows = _rows(text, _separator(text))
    _, head = next(rows, (0, []))
    columns, ignored = _columns(head)
    lines: list[tuple[Line, str]] = []
    bad: list[Bad] = []
    for count, (number, cells) in enumerate(rows):
        if count == MAX_LINES:
            raise Unreadable(f"The file has more than {MAX_LINES:,} lines. Split it.")
        shown = _shown(" ".join(cells))
        try:
            lines.append((_line(number, cells, columns, len(head), country), shown))
        except BadLine as problem:
            bad.append(Bad(number, shown, str(problem)))
    contacts, merged, refused = _merged(lines)
    bad = sorted([*bad, *refused], key=lambda one: one.number)
    bad += [Bad(line.number, line.endpoint, EMPTY_LINE) for line in contacts if line.is_empty]
    return ParsedFile([line for line in contacts if not line.is_empty], bad, merged, ignored)


def csv_lines(contacts: Iterable[Contact]) -> str:
    """Return lines of CSV, one for each contact, in the order of `COLUMNS`."""
    return _csv(
        (
            _link(contact.endpoint),
            contact.name,
            contact.notes,
            # Empty, not “no”: importing an old file then removes no mark that was set since.
            "yes" if contact.do_not_call else "",
        )
        for contact in contacts
    )


def heading() -> str:
    """Return the first line of the file, with the byte order mark by which spreadsheets recognize UTF-8."""
    return f"\ufeff{_csv([COLUMNS])}"


def escape_formula(cell: str) -> str:
    """Return `cell`, with an apostrophe before it if a spreadsheet would run it as a formula."""
    return f"'{cell}" if FORMULA.match(cell) else cell


def unescape_formula(cell: str) -> str:
    """Return the cell that `escape_formula` was given."""
    return cell[1:] if ESCAPED_FORMULA.match(cell) else cell


def _csv(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([escape_formula(cell) for cell in row] for row in rows)
    return text.getvalue()


def _link(endpoint: str) -> str:
    return f"tel:{endpoint}" if endpoint.startswith("+") else endpoint


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"Line {line} is not UTF-8. Save the file as “CSV UTF-8”.") from error


def _separator(text: str) -> str:
    """Return the separator of cells: the one that gives the first line the most known columns."""
    first = text[: text.find("\n") if "\n" in text else None]
    known = {
        separator: sum(_plain(cell) in HEADERS for cell in first.split(separator)) for separator in SEPARATORS
    }
    return max(SEPARATORS, key=lambda separator: known[separator])


def _rows(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, each with the number of its first line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        reason = "a cell is too long" if "field limit" in str(error) else "its quotation marks do not match"
        raise Unreadable(f"Line {begins} cannot be read: {reason}.") from error


def _columns(head: list[str]) -> tuple[dict[str, int], list[str]]:
    """Return the position of each column, and the unknown columns."""
    if len(head) > MAX_COLUMNS:
        raise Unreadable(f"The first line has more than {MAX_COLUMNS} columns.")
    columns: dict[str, int] = {}
    ignored = []
    for position, cell in enumerate(head):
        name = HEADERS.get(_plain(cell))
        if name is None:
            ignored.append(_shown(cell) or f"column {position + 1}")
        elif name in columns:
            raise Unreadable(f"Two columns are called “{name.replace('_', ' ')}”, or mean the same.")
        else:
            columns[name] = position
    if not any(name in columns for name in ENDPOINT_COLUMNS):
        raise Unreadable("The first line names no column “number”, “client” or “endpoint”.")
    return columns, ignored


def _plain(cell: str) -> str:
    return " ".join(re.sub(r"[_-]", " ", cell.strip("\ufeff\"' \t\r\n")).lower().split())


def _line(number: int, cells: list[str], columns: Mapping[str, int], width: int, country: str) -> Line:
    if len(cells) > width:
        raise BadLine(f"It has {len(cells)} cells, and the first line has {width}.")
    given = {
        name: unescape_formula(cells[position].strip()).strip() if position < len(cells) else ""
        for name, position in columns.items()
    }
    if any(NOT_TEXT.search(cell) for cell in given.values()):
        raise BadLine("It has characters in it that are not text.")
    return Line(
        number,
        _endpoint(given, country),
        _name(given.get("name", "")),
        _notes(given.get("notes", "")),
        _mark(given.get("do_not_call", "")),
    )


def _endpoint(given: Mapping[str, str], country: str) -> str:
    filled = [name for name in ENDPOINT_COLUMNS if given.get(name)]
    if not filled:
        raise BadLine("It has no number and no client.")
    if len(filled) > 1:
        raise BadLine("It has a number and a client; a contact is of one.")
    (name,) = filled
    try:
        if name == NUMBER:
            return parse_number(given[name], country)
        if name == ENDPOINT:
            return parse_endpoint(given[name], country)
        return parse_client(given[name])
    except InvalidEndpoint as problem:
        raise BadLine(str(problem)) from problem


def _name(cell: str) -> str:
    name = " ".join(cell.split())
    if len(name) > LONGEST_NAME:
        raise BadLine(f"The name has more than {LONGEST_NAME} characters.")
    if name and not is_seen(name):
        raise BadLine(NO_NAME)
    return name


def _notes(cell: str) -> str:
    notes = cell.replace("\r\n", "\n").replace("\r", "\n")
    if len(notes) > LONGEST_NOTES:
        raise BadLine(f"The notes have more than {LONGEST_NOTES:,} characters.")
    return notes


def _mark(cell: str) -> bool | None:
    word = cell.lower()
    if word not in YES | NO | {""}:
        raise BadLine(f"Whether not to call is “{_shown(cell)}”, which is neither yes nor no.")
    return word in YES if word else None


def _merged(lines: Sequence[tuple[Line, str]]) -> tuple[list[Line], int, list[Bad]]:
    """Merge the lines of each number or client, given with how they are shown. One query.

    Returns one line for each, the number of lines merged into another, and the lines that contradict another.
    """
    keys = keyed(line.endpoint for line, _ in lines)
    contacts: dict[str, Line] = {}
    bad: list[Bad] = []
    for line, shown in lines:
        key = keys[line.endpoint]
        try:
            contacts[key] = _both(contacts[key], line) if key in contacts else line
        except BadLine as problem:
            bad.append(Bad(line.number, shown, str(problem)))
    return list(contacts.values()), len(lines) - len(bad) - len(contacts), bad


def _both(first: Line, second: Line) -> Line:
    """Merge two lines of the same number or client. Raises `BadLine` if they contradict each other."""
    if first.name and second.name and first.name != second.name:
        raise BadLine(f"Line {first.number} has the same number or client under another name.")
    if None not in (first.do_not_call, second.do_not_call) and first.do_not_call != second.do_not_call:
        raise BadLine(f"Line {first.number} says otherwise whether not to call.")
    notes = first.notes
    if second.notes not in first.notes:
        notes = _notes(f"{first.notes}\n{second.notes}".strip())
    mark = second.do_not_call if first.do_not_call is None else first.do_not_call
    return replace(first, name=first.name or second.name, notes=notes, do_not_call=mark)


def _shown(text: str) -> str:
    """Return the beginning of `text`, without characters that cannot be shown or stored."""
    plain = NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))
    return plain if len(plain) <= LONGEST_SHOWN else f"{plain[:LONGEST_SHOWN]}…"
