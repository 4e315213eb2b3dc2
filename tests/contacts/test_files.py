"""Files of contacts are read from whatever a spreadsheet saves, and are read back as they were written."""

import csv
import io
import random
from typing import Any

import pytest

from connections_app.contacts.csv_files import (
    Bad,
    ParsedFile,
    Unreadable,
    csv_lines,
    escape_formula,
    heading,
    parse,
    unescape_formula,
)
from connections_app.models import Contact

FIRST = "number,name,notes,do_not_call\n"
DANGEROUS = "=+-@\t\r"

pytestmark = pytest.mark.django_db


def of(text: str, country: str = "US") -> ParsedFile:
    return parse(text.encode(), country)


def told(found: ParsedFile) -> list[tuple[Any, ...]]:
    return [(line.endpoint, line.name, line.notes, line.do_not_call) for line in found.lines]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_any_separator_beginning_and_end_of_line_is_read(separator: str, mark: str, ends: str) -> None:
    rows = [
        ["Name", "Phone number"],
        ["Ana Lima", "(415) 555-0142"],
        ['"Ben, ""B""; the\tolder"', "webrtc:ben"],
    ]
    if ends == "\r":
        rows = rows[:2]
    text = mark + ends.join(separator.join(row) for row in rows)
    found = parse(text.replace("webrtc:ben", "+14155550143").encode(), "US")
    assert found.bad == []
    assert told(found)[0] == ("+14155550142", "Ana Lima", "", None)
    if ends != "\r":
        assert told(found)[1][1] == 'Ben, "B"; the older'


@pytest.mark.parametrize(
    ("head", "cells", "endpoint"),
    [
        ("endpoint,name", "webrtc:ana,Ana", "webrtc:ana"),
        ("client,name", "ana,Ana", "webrtc:ana"),
        ("Number,NAME", "415 555 0142,Ana", "+14155550142"),
        ("e-mail,phone,client,name", "a@b.c,,ana,Ana", "webrtc:ana"),
        ("do-not-call,Browser Client,Full_Name", "yes,ana,Ana", "webrtc:ana"),
    ],
)
def test_columns_are_found_by_what_they_are_called(head: str, cells: str, endpoint: str) -> None:
    found = of(f"{head}\n{cells}\n")
    assert [(line.endpoint, line.name) for line in found.lines] == [(endpoint, "Ana")]


def test_columns_that_are_ignored_are_named() -> None:
    assert of("number,name,e-mail,\n+14155550142,Ana,a@b.c,\n").ignored == ["e-mail", "column 4"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "names no column"),
        (b"name,notes\nAna,x\n", "names no column"),
        (b"number,phone\n1,2\n", "Two columns"),
        ("number,name\n+14155550142,Zoë\n".encode("latin-1"), "Line 2 is not UTF-8"),
        ("number,name\n+14155550142,Ana\n".encode("utf-16"), "Line 1 is not UTF-8"),
        (b"number,name\n+14155550142,\xed\xa0\x80\n", "Line 2 is not UTF-8"),
        (b'number,name\n+14155550142,Ana\n+14155550143,"Ben\n', "Line 3 cannot be read"),
        (b"number,name\n+14155550142," + b"x" * 1_000_000, "Line 2 cannot be read: a cell is too long"),
        (b"number," + b"," * 1000, "more than 100 columns"),
        (b"number,name\n" + b"1,x\n" * 50_001, "more than 50,000 lines"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        parse(content, "US")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("12,Ana", "too short"),
        (",Ana", "no number and no client"),
        ("+14155550142,", "neither a name nor notes"),
        ("+14155550142,a\x00b", "not text"),
        ("+14155550142,a\x1bb", "not text"),
        (f"+14155550142,{'x' * 201}", "more than 200"),
        (f"+14155550142,,{'x' * 10_001}", "more than 10,000"),
        ("+14155550142,Ana,,perhaps", "neither yes nor no"),
        ("+14155550142,Ana,,,more", "5 cells"),
        (f"{'1' * 5000},Ana", "too long"),
    ],
)
def test_a_line_that_cannot_be_taken_says_which_and_why(line: str, words: str) -> None:
    found = of(f"{FIRST}+14155550199,Good\n\n{line}\n+14155550198,Good\n")
    (bad,) = found.bad
    assert (bad.number, words in bad.reason) == (4, True)
    assert len(found.lines) == 2
    assert "\x00" not in bad.text


def test_a_line_is_counted_where_it_begins() -> None:
    found = of(FIRST + '+14155550142,Ana,"two\nlines"\n12,Bad\n')
    assert found.bad == [Bad(4, "12 Bad", "This is not a number to call: it is too short.")]


def test_a_number_and_a_client_in_one_line_are_two_contacts() -> None:
    found = of("number,client,name\n+14155550142,ana,Ana\n")
    assert "a contact is of one" in found.bad[0].reason


def test_lines_of_the_same_number_are_merged() -> None:
    found = of(FIRST + "+14155550142,Ana,One,\n(415) 555-0142,,Two,yes\n1-415-555-0142,Ana,One,\n")
    assert told(found) == [("+14155550142", "Ana", "One\nTwo", True)]
    assert (found.merged, found.bad) == (2, [])


def test_lines_of_the_same_client_are_merged_whatever_their_capitals() -> None:
    found = of("client,name\nAna,Ana Lima\nANA,\nana,Ana Lima\n")
    assert (told(found), found.merged) == ([("webrtc:Ana", "Ana Lima", "", None)], 2)
    assert found.bad == []


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ("4155550142,Anna,,", "Line 2 has the same number or client under another name."),
        ("4155550142,,,no", "Line 2 says otherwise"),
    ],
)
def test_lines_that_do_not_agree_are_not_merged(second: str, words: str) -> None:
    found = of(f"{FIRST}+14155550142,Ana,,yes\n{second}\n")
    assert [(bad.number, words in bad.reason) for bad in found.bad] == [(3, True)]
    assert told(found) == [("+14155550142", "Ana", "", True)]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'=1", "''-x"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert escape_formula(cell)[0] not in DANGEROUS
    assert unescape_formula(escape_formula(cell)) == cell


def test_what_is_written_is_read_back_the_same() -> None:
    """For names and notes of all that is awkward in a file, a thousand times."""
    dice = random.Random(6)  # noqa: S311
    pieces = ["=", "+", "-", "@", "'", '"', ",", ";", " ", "\n", "a", "Zoë", "😀", "\u2028", "tel:", "1"]

    def text() -> str:
        return "".join(dice.choices(pieces, k=dice.randrange(8))).strip()

    contacts = [
        Contact(
            endpoint=f"+1415555{n:04}" if n % 2 else f"webrtc:{'=' * (n % 3)}a{n}",
            name=" ".join(text().split()),
            notes=text(),
            do_not_call=n % 5 == 0,
        )
        for n in range(1000)
    ]
    contacts = [one for one in contacts if one.name or one.notes or one.do_not_call]
    content = heading() + csv_lines(contacts)
    cells = [cell for row in csv.reader(io.StringIO(content, newline="")) for cell in row]
    assert not [cell for cell in cells if cell[:1] in tuple(DANGEROUS)]
    found = parse(content.encode(), "DE")
    assert found.bad == []
    assert told(found) == [(one.endpoint, one.name, one.notes, one.do_not_call or None) for one in contacts]
