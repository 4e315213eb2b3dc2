"""Characters that nobody sees are made visible on every page, and change nothing that is not read."""

import unicodedata
from typing import Any

import pytest
from django.test import Client

from connections_app.live.board_reader import Kind, Reader
from connections_app.models import Connection, Operator, Role, Routine, SavedView, Tag
from connections_app.models.characters import UNSEEN
from connections_app.web.invisible_characters import marked, shown
from tests.contacts.conftest import MakeOperator, made
from tests.exports.exported import written
from tests.factories import seen

REVERSED = "\u202enimda"
CODE = "\u27e8U+202E\u27e9"
MARK = f'<bdi class="unseen" title="right-to-left override">{CODE}</bdi>'


@pytest.mark.parametrize(
    ("html", "read"),
    [
        (f"<p>{REVERSED}</p>", f"<p>{MARK}nimda</p>"),
        (
            f'<a title="{REVERSED}" href="{REVERSED}">x</a>',
            f'<a title="{CODE}nimda" href="{REVERSED}">x</a>',
        ),
        (f'<b aria-label="Call {REVERSED}">', f'<b aria-label="Call {CODE}nimda">'),
        (f'<input value="{REVERSED}" placeholder="a">', f'<input value="{REVERSED}" placeholder="a">'),
        (f'<tr data-find="{REVERSED}"><td>', f'<tr data-find="{REVERSED}"><td>'),
        (f'<i data-x="a > {REVERSED}">', f'<i data-x="a > {REVERSED}">'),
        (f"<textarea>{REVERSED}</textarea>", f"<textarea>{REVERSED}</textarea>"),
        (f"<script>{REVERSED}</script>", f"<script>{REVERSED}</script>"),
        (f"<title>{REVERSED}</title>", f"<title>{CODE}nimda</title>"),
        (
            f'<option value="{REVERSED}" selected>{REVERSED}</option>',
            f'<option value="{REVERSED}" selected>{CODE}nimda</option>',
        ),
        (f"a < b {REVERSED} &lt;", f"a < b {MARK}nimda &lt;"),
    ],
)
def test_what_is_read_is_marked_and_what_is_kept_is_not(html: str, read: str) -> None:
    assert marked(html) == read


@pytest.mark.parametrize(
    "text",
    [
        "Ana Lima",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u0915\u094d\u200d\u0937",
        "\U0001f469\u200d\U0001f4bb",
        "\u2764\ufe0f",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "\u05d0\u05d1\u05d2 (3)",
        "a\u00a0b \u2013 c\t\n",
    ],
)
def test_persian_hindi_emoji_and_flags_stay_as_they_are(text: str) -> None:
    assert shown(text) == text
    assert marked(f"<p>{text}</p>") == f"<p>{text}</p>"


def test_every_character_of_unicode_that_is_not_seen_is_marked_but_for_joiners() -> None:
    kinds = ("Cf", "Cc", "Zl", "Zp")
    unseen = [one for one in map(chr, range(0x110000)) if unicodedata.category(one) in kinds]
    left = [one for one in unseen if not UNSEEN.match(one)]
    named = {unicodedata.name(one, f"{ord(one):02X}") for one in left}
    # Joiners, line ends, and signs of numbers, notes and hieroglyphs, which are seen with these.
    allowed = ("ZERO WIDTH", "ARABIC", "SYRIAC", "KAITHI", "EGYPTIAN", "SHORTHAND", "MUSICAL", "0")
    assert [name for name in named if not name.startswith(allowed)] == []
    for filler in "\u3164\u115f\u1160\uffa0\u2800\u034f\xad\u200b\ufeff\u2060\U000e0041":
        assert shown(f"a{filler}b") == f"a\u27e8U+{ord(filler):04X}\u27e9b"


@pytest.fixture
def admin(client: Client, make_operator: MakeOperator) -> Client:
    client.force_login(make_operator("sam", Role.ADMINISTRATOR, is_staff=True, is_superuser=True))
    return client


def every_kind_of_name(person: Operator) -> Connection:
    Operator.objects.filter(pk=person.pk).update(first_name=f"{REVERSED}1", client_name=f"{REVERSED}2")
    seen(
        {
            "connection_id": "c1",
            "status": "connected",
            "direction": "incoming",
            "to": f"webrtc:{REVERSED}3",
            "from": f"{REVERSED}4",
        }
    )
    made(f"{REVERSED}5", f"webrtc:{REVERSED}6", notes=f"{REVERSED}7")
    Tag.objects.create(name=f"{REVERSED}8", colour="blue", made_by="ben")
    SavedView.objects.create(name=f"{REVERSED}9", query="status=failed", owner=person)
    Routine.objects.filter(pk=Routine.objects.earliest("pk").pk).update(name=f"{REVERSED}10")
    return Connection.objects.get()


@pytest.mark.django_db
def test_no_page_shows_a_text_in_another_order_than_it_is_written(admin: Client) -> None:
    call = every_kind_of_name(Operator.objects.get())
    contact, tag, view = made(f"{REVERSED}x", "webrtc:x"), Tag.objects.get(), SavedView.objects.get()
    pages = {
        "/": "3",
        "/?wall=1": "3",
        "/calls/": "3",
        f"/calls/{call.connection_id}/": "3",
        "/calls/choices/operator/": "1",
        "/calls/choices/tag/": "8",
        "/contacts/": "5",
        f"/contacts/{contact.pk}/": "x",
        "/calls/tags/": "8",
        f"/calls/tags/{tag.pk}/": "8",
        "/v/": "9",
        f"/calls/?q={REVERSED}": "",
        "/routines/": "10",
        "/accounts/preferences/": "",
        "/admin/connections_app/connection/": "3",
        "/admin/connections_app/contact/": "5",
        "/admin/connections_app/operator/": "2",
    }
    assert view
    for address, which in pages.items():
        answer: Any = admin.get(address)
        assert answer.status_code == 200, address
        text = answer.content.decode()
        assert text == marked(text), address
        assert f"{CODE}</bdi>nimda{which}" in text or f"{CODE}nimda{which}" in text, address


@pytest.mark.django_db
def test_the_stream_of_the_board_marks_them_too(make_operator: MakeOperator) -> None:
    every_kind_of_name(make_operator())
    reader = Reader()
    change = reader.read_whole([Kind.BOARD, Kind.WALL])
    assert change
    for drawn in change.drawn.values():
        assert "unseen" in drawn
        assert "\\u202enimda3<" not in drawn


@pytest.mark.django_db
def test_files_keep_every_character(make_operator: MakeOperator) -> None:
    every_kind_of_name(make_operator())
    assert f"webrtc:{REVERSED}3" in written().decode()
