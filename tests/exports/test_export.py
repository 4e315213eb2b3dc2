"""The export is the list: the same calls in the same order, safe in spreadsheets."""

import csv
import io
import json
from typing import Any

import pytest

from connections_app.exports.writing import Format
from connections_app.models import Connection, Contact, Tag
from tests.exports.exported import written
from tests.factories import many, seen

pytestmark = pytest.mark.django_db


def rows(query: str = "", **more: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written(query, **more).decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("sort", ["newest", "oldest", "longest", "shortest"])
def test_calls_come_in_the_lists_order(sort: str) -> None:
    many(40)
    by = {"newest": ("-at", "-pk"), "oldest": ("at", "pk"), "longest": ("-pk",), "shortest": ("pk",)}[sort]
    expected = list(Connection.objects.order_by(*by).values_list("connection_id", flat=True))
    assert [row["Call id"] for row in rows(f"sort={sort}")] == expected
    objects = [json.loads(line) for line in written(f"sort={sort}", Format.NDJSON).splitlines()]
    assert [one["connection_id"] for one in objects] == expected


def test_times_have_the_zones_offset_on_both_sides_of_a_change_of_clocks() -> None:
    for hour in (0, 1):
        seen({"connection_id": f"h{hour}", "start_time": f"2026-10-25T0{hour}:30:00Z"})
    assert [row["Started"] for row in rows("sort=oldest")] == [
        "2026-10-25 02:30:00+02",
        "2026-10-25 02:30:00+01",
    ]
    assert json.loads(written("sort=oldest", Format.NDJSON).splitlines()[0])["start_time"] == (
        "2026-10-25T00:30:00+00:00"
    )


FORMULA_STARTS = "=+-@＝＋－＠\t\n\r"


@pytest.mark.parametrize(
    "hostile",
    [
        *("=1+1", "-2", "@x", "'=1", 'a"b', "a,b", "a\\b", "<b>", "\\.", "é%s", "'", "Ａ＝1"),
        *(f"{begins}1+1" for begins in FORMULA_STARTS if begins != "+"),
    ],
)
def test_hostile_text_comes_through_and_is_no_formula(hostile: str) -> None:
    seen({"connection_id": "@1", "from": "+14155550142", "to": hostile, "direction": "outgoing"})
    Contact.objects.create(endpoint="+14155550142", name=hostile, changed_by="ben")
    (row,) = rows()
    safe = f"'{hostile}" if (hostile.lstrip("'") or " ")[0] in FORMULA_STARTS else hostile
    assert (row["Call id"], row["To"], row["Name"]) == ("'@1", safe, safe)
    assert row["From"] == row["With"] == "tel:+14155550142"
    (line,) = written(format=Format.NDJSON).splitlines()
    assert (json.loads(line)["to"], json.loads(line)["from_name"]) == (hostile, hostile)


@pytest.mark.parametrize("number", ["611", "0049301234567", "12345678901234567890"])
def test_a_number_without_a_plus_is_no_sum_either(number: str) -> None:
    seen({"connection_id": "a1", "from": number, "to": "3rd floor", "direction": "outgoing"})
    (row,) = rows()
    assert (row["From"], row["With"], row["To"]) == (f"tel:{number}", f"tel:{number}", "3rd floor")
    (line,) = written(format=Format.NDJSON).splitlines()
    assert json.loads(line)["from"] == number


def test_a_client_is_named_however_it_is_written() -> None:
    seen({"connection_id": "a1", "from": "webrtc:Ana", "to": "+14155550142", "direction": "outgoing"})
    Contact.objects.create(endpoint="webrtc:ana", name="Ana Lima", changed_by="ben")
    (row,) = rows()
    assert (row["With"], row["Name"], row["From name"], row["To name"]) == (
        "webrtc:Ana",
        "Ana Lima",
        "Ana Lima",
        "",
    )


def test_each_line_ends_as_rfc_4180_has_it() -> None:
    many(3)
    assert written().count(b"\r\n") == 4
    assert written().count(b"\n") == 4


def test_tags_are_in_the_file() -> None:
    seen({"connection_id": "a1"})
    call = Connection.objects.get()
    for name in ("vip", "Billing"):
        call.call_tags.create(tag=Tag.objects.create(name=name), at=call.at)
    assert rows("tag=vip")[0]["Tags"] == "Billing, vip"
    assert json.loads(written("tag=vip&tag=Billing", Format.NDJSON))["tags"] == ["Billing", "vip"]
