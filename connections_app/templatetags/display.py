"""Template tags for what all pages share: calls, their two ends, times, durations, and icons."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from connections_app.calls import freshness
from connections_app.calls.endpoints import Endpoint, callee_of, caller_of, endpoint_of, party_of
from connections_app.models import Connection, Direction, Doubt, Operator, Status
from connections_app.people.roles import role_of

register = template.Library()

DAYS = tuple(calendar.day_name)
MONTHS = tuple(calendar.month_name)[1:]
# Marks where the link is inserted into a cached endpoint; no text of ours or of Sift's has a NUL.
GAP = "\0"
NOTHING = "\N{EN DASH}"
ICON_NAME = re.compile(r"[a-z0-9-]+", re.ASCII)
ICON_OPENING = SafeString('<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">')
DAY = re.compile(r"(\d{4}-\d\d-\d\d)?", re.ASCII)
DAY_AND_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Look:
    """How a status or a direction is shown: icon, word, tone (a colour name of our CSS), and meaning."""

    icon: str
    word: str
    tone: str = ""
    meaning: str = ""


STATUSES: dict[str, Look] = {
    Status.CONNECTING: Look("phone-outgoing", "Connecting", "connecting"),
    Status.CONNECTED: Look("phone-call", "Connected", "connected"),
    Status.FAILED: Look("phone-x", "Failed", "failed"),
    Status.FINISHED: Look("phone-off", "Finished", "finished"),
}
DOUBTS: dict[str, Look] = {
    Doubt.UNCONFIRMED: Look(
        "alert-triangle", "Unconfirmed", "unconfirmed", "Sift does not know this call; it may have ended."
    ),
    Doubt.LOST: Look(
        "help-circle", "Lost", "lost", "Sift no longer knows this call; how it ended is not known."
    ),
}
DIRECTIONS: dict[str, Look] = {
    Direction.INCOMING: Look(
        "arrow-up-right",
        "Sift called out",
        meaning="Sift called this endpoint. Sift's own word is “incoming”.",
    ),
    Direction.OUTGOING: Look(
        "arrow-down-left",
        "Called in",
        meaning="This endpoint called Sift. Sift's own word is “outgoing”.",
    ),
}
NO_DIRECTION = Look("question-mark", "Not told", meaning="Sift has not said who called whom.")
LOOKS = (*STATUSES.values(), *DOUBTS.values(), *DIRECTIONS.values(), NO_DIRECTION)
ROW_ICONS = ("copy", "check", "headset", "phone-plus", "list-check", *(look.icon for look in LOOKS))


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """Return Tabler's outline icon `name` as inline SVG, hidden from screen readers."""
    svg = _icon(name)
    if not classes:
        return svg
    return mark_safe(svg.replace('class="icon"', format_html('class="icon {}"', classes), 1))  # noqa: S308


@register.simple_tag
def row_icon(name: str, classes: str = "") -> SafeString:
    """Return one of `ROW_ICONS` as a reference to its drawing in the page, since pages have many rows."""
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="#icon-{}"/></svg>', classes, name)


@register.simple_tag
@cache
def row_icons() -> SafeString:
    """Return the drawings that `row_icon` refers to, to be put into the page once."""
    drawings = format_html_join(
        "", '<symbol id="icon-{}" viewBox="0 0 24 24">{}</symbol>', ((n, _shapes(n)) for n in ROW_ICONS)
    )
    return format_html('<svg hidden aria-hidden="true">{}</svg>', drawings)


@register.filter
def party(connection: Connection) -> Endpoint:
    """Return the other side of a call."""
    return party_of(connection)


@register.filter
def caller(connection: Connection) -> Endpoint:
    """Return the end that called."""
    return caller_of(connection)


@register.filter
def callee(connection: Connection) -> Endpoint:
    """Return the end that was called."""
    return callee_of(connection)


@register.filter("endpoint")
def written_endpoint(written: str | None) -> Endpoint:
    """Return one end of a call, as Sift writes it, in readable form."""
    return endpoint_of(written)


@register.simple_tag
def who(
    end: Endpoint,
    url: str = "",
    row: int | str = "",
    place: bool = False,
    copy: bool = False,
    dial: bool = False,
) -> SafeString:
    """Return one end of a call with its actions; its name links to `url`, and `row` makes the link's id."""
    drawn = _endpoint(end, bool(url), place, copy, dial)
    if not url:
        return drawn
    named = f' id="open-{row}"' if row else ""
    return SafeString(drawn.replace(GAP, f' href="{escape(url)}"{named}'))


@register.filter
def wall_party(connection: Connection) -> str:
    """Return the other side as anybody may see it: a client's name, or a number's last digits and place."""
    end = party_of(connection)
    if not end.is_phone:
        return end.text
    return f"…{end.e164[-4:]} {end.where or end.country}".strip()


@register.filter
def moment(value: datetime) -> str:
    """Return `value` in UTC, in ISO 8601, for scripts."""
    return _iso(value)


@register.simple_tag
def status(connection: Connection) -> SafeString:
    """Return the icon, word and colour of the doubt, if there is one, else of the status."""
    return _look(DOUBTS.get(connection.doubt) or STATUSES[connection.status])


@register.simple_tag
def direction(connection: Connection) -> SafeString:
    """Return the direction in plain words, with Sift's own word on hover."""
    return _look(DIRECTIONS[connection.direction] if connection.direction else NO_DIRECTION)


@register.simple_tag
def direction_meaning(connection: Connection) -> str:
    """Return the meaning of the direction, and Sift's own word for it."""
    return (DIRECTIONS[connection.direction] if connection.direction else NO_DIRECTION).meaning


@register.simple_tag
def when(moment: datetime | None, now: datetime | None = None) -> SafeString | str:
    """Return `Today 14:02:11`, `Yesterday 09:12` or `12 Nov 16:55`, in the person's zone; full on hover."""
    if moment is None:
        return NOTHING
    zone = timezone.get_current_timezone()
    local = moment.astimezone(zone)
    return _in_full_on_hover(local, _near(local, (now or timezone.now()).astimezone(zone)), "near")


@register.simple_tag
def clock(moment: datetime | None) -> SafeString | str:
    """Return `14:02:11`, in the person's zone; in full on hover."""
    if moment is None:
        return NOTHING
    local = timezone.localtime(moment)
    return _in_full_on_hover(local, f"{local:%H:%M:%S}", "clock")


@register.simple_tag
def ago(moment: datetime | None, now: datetime | None = None) -> SafeString | str:
    """Return `4 s ago`, which the browser keeps counting."""
    if moment is None:
        return "never"
    return format_html(
        '<time datetime="{0}" data-ago="{0}" title="{1}">{2}</time>',
        _iso(moment),
        f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}",
        freshness.ago(now or timezone.now(), moment),
    )


@register.simple_tag
def duration(connection: Connection, now: datetime | None = None) -> SafeString | str:
    """Return how long a call has run, counting, or how long people talked: `42:10`; a dash if unknown."""
    if connection.is_in_progress:
        return running(connection.at, now)
    seconds = connection.talk_seconds
    talked = None if seconds is None else timedelta(seconds=seconds)
    return SafeString(f'<span class="duration">{hours_and_minutes(talked)}</span>')


@register.simple_tag
def running(since: datetime, now: datetime | None = None) -> SafeString:
    """Return the time since `since`, which the browser keeps counting: `42:10`."""
    length = hours_and_minutes((now or timezone.now()) - since)
    return SafeString(f'<time class="duration" data-clock data-since="{_iso(since)}">{length}</time>')


@register.filter
def hours_and_minutes(length: timedelta | None) -> str:
    """Return `02:15` or `1:02:10`; a dash for None."""
    if length is None:
        return NOTHING
    minutes, seconds = divmod(max(0, int(length.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


@register.filter
def in_words(length: timedelta | None) -> str:
    """Return `0.4 s`, `12 s`, `3 min 5 s` or `1 h 2 min`; a dash for None."""
    if length is None:
        return NOTHING
    seconds = length.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


@register.filter
def moment_input(field: Any) -> str:
    """Return the type of input that can show the field's value; `text` for an invalid one."""
    value = str(field.value() or "")
    if field.errors:
        return "text"
    if DAY.fullmatch(value):
        return "date"
    return "datetime-local" if DAY_AND_TIME.fullmatch(value) else "text"


@register.simple_tag
def role(operator: Operator) -> str:
    """Return the name of an operator's highest role."""
    return role_of(operator)


@register.filter
def initials(operator: Operator) -> str:
    """Return a person's initials, two letters."""
    names = [operator.first_name, operator.last_name]
    letters = "".join(name[0] for name in names if name) or operator.get_username()[:2]
    return letters.upper()


@register.simple_tag
def zone_names() -> str:
    """Return the names of the person's zone this year, by minutes ahead of UTC: `60=CET 120=CEST`."""
    now = timezone.localtime()
    months = (now.replace(month=month, day=1) for month in range(1, 13))
    names = {int((at.utcoffset() or timedelta()).total_seconds()) // 60: at.tzname() for at in months}
    return " ".join(f"{minutes}={name}" for minutes, name in names.items())


@register.simple_tag
def server_now() -> str:
    """Return the server's time, with which the browser corrects its own clock."""
    return _iso(timezone.now())


@cache
def _look(look: Look) -> SafeString:
    return render_to_string("parts/_look.html", {"look": look})


# Lists have fifty rows or more with the same few numbers: each is rendered once.
@lru_cache(maxsize=8192)
def _endpoint(end: Endpoint, leads: bool, place: bool, copy: bool, dial: bool) -> SafeString:
    """Return the endpoint rendered, with `GAP` in place of the link's attributes if it `leads` anywhere."""
    drawn = {"end": end, "gap": GAP if leads else "", "place": place, "copy": copy, "dial": dial}
    return render_to_string("parts/_endpoint.html", drawn)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _near(local: datetime, now: datetime) -> str:
    days = (now.date() - local.date()).days
    if days == 0:
        return f"Today {local:%H:%M:%S}"
    if days == 1:
        return f"Yesterday {local:%H:%M}"
    year = "" if local.year == now.year else f" {local.year}"
    return f"{local.day} {local:%b}{year} {local:%H:%M}"


def _in_full_on_hover(local: datetime, shown: str, how: str) -> SafeString:
    """Return the time for a page; by `how`, scripts format times of the stream in the person's zone."""
    full = f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]} {local:%Y, %H:%M:%S} {local:%Z}"
    # Not `format_html`, for speed: a page has many times, and none of these values comes from outside.
    return SafeString(f'<time datetime="{_iso(local)}" data-when="{how}" title="{full}">{shown}</time>')


def _icon(name: str) -> SafeString:
    return ICON_OPENING + _shapes(name) + SafeString("</svg>")


@cache
def _shapes(name: str) -> SafeString:
    """Return the contents of the icon's `<svg>`."""
    if not ICON_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of an icon")
    drawing = Path(settings.NODE_MODULES, "@tabler/icons/icons/outline", f"{name}.svg").read_text("utf-8")
    shapes = drawing.partition("<svg")[2].partition(">")[2].rpartition("</svg>")[0]
    shapes = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>', "", shapes)
    return mark_safe(re.sub(r"\s*\n\s*", "", shapes))  # noqa: S308
