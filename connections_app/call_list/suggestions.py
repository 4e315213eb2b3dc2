"""The suggestions of the search box while a person types: calls, a number to call, and the whole list."""

import re
from dataclasses import dataclass
from datetime import timedelta

from connections_app.access.permissions import may_place
from connections_app.call_list.filters import CallsForm, filtered, is_short
from connections_app.call_list.time_limits import TooSlow, within
from connections_app.calls.contact_lookup import name_ends
from connections_app.calls.endpoints import Endpoint, callee_of, caller_of, endpoint_of, party_of
from connections_app.models import Connection, Operator
from connections_app.models.connection import ConnectionQuerySet
from connections_app.models.requests import CLIENT
from connections_app.sift.number_search import search_texts
from connections_app.sift.numbers import BETWEEN_DIGITS, ImpossibleNumber, e164, is_number

MAX_CALLS = 8
TIMEOUT = timedelta(milliseconds=400)  # a later answer is of no use to a person who types
MIN_DIGITS = 7  # a shorter number is incomplete, and is not offered to be called
TYPE_ON = "Type on: three characters or more."
TOO_MANY = "Too many calls may match. Type more, or press Enter for the list."


@dataclass(frozen=True, slots=True)
class Marked:
    """A text divided at the part that matches a search; `match` is empty if no part does."""

    before: str
    match: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A call; `also` is another text that matches if its name does not, and `where` states which one."""

    call: Connection
    end: Endpoint
    name: Marked
    where: str = ""
    also: Marked | None = None


@dataclass(frozen=True, slots=True)
class Suggested:
    """The suggestions for `written`; `words` is a hint, or the reason why there are no calls."""

    written: str
    calls: list[Suggestion]
    words: str = ""
    dials: Endpoint | None = None
    lists: bool = False

    @property
    def summary(self) -> str:
        """Return the suggestions as a sentence for screen readers."""
        found = "1 call" if len(self.calls) == 1 else f"{len(self.calls)} calls"
        return self.words or (f"{found} suggested" if self.calls else "")


def suggest(typed: str, operator: Operator) -> Suggested:
    """Return the newest calls with `typed` in a number, name or id, and the number to call, if any."""
    form = CallsForm({"q": typed}, country=operator.dials_from)
    if not form.is_valid():
        return Suggested(typed, [], " ".join(map(str, form.errors["q"])))
    written: str = form.cleaned_data["q"]
    texts = search_texts(written, form.dials_from)
    if not texts[0]:
        return Suggested("", [])
    dials = _dialled(written, operator)
    try:
        calls = _found(filtered(form))
    except TooSlow:
        return Suggested(written, [], TOO_MANY, dials, lists=True)
    if not calls:
        words = TYPE_ON if is_short(texts[0]) else f"No call has “{written}” in a number, a name or its id."
        return Suggested(written, [], words, dials)
    return Suggested(written, [_suggestion(call, texts) for call in calls], "", dials, lists=True)


def marked(text: str, searched: str) -> Marked:
    """Return `text` with `searched` marked: a number also with separators between its digits."""
    between = f"{BETWEEN_DIGITS.pattern}*" if is_number(searched) else ""
    found = re.search(between.join(map(re.escape, searched)), text, re.IGNORECASE)
    if not found:
        return Marked(text)
    return Marked(text[: found.start()], found[0], text[found.end() :])


def _found(matching: ConnectionQuerySet) -> list[Connection]:
    """Return the newest of these calls, with their contacts' names. Raises `TooSlow`."""
    with within(TIMEOUT):
        calls = list(matching.for_rows().newest_first()[:MAX_CALLS])
    name_ends(calls)
    return calls


def _dialled(written: str, operator: Operator) -> Endpoint | None:
    """Return the endpoint of a complete number that `operator` may call, else None."""
    is_whole = is_number(written) and sum(map(str.isdigit, written)) >= MIN_DIGITS
    if not is_whole or not may_place(operator):
        return None
    try:
        return endpoint_of(e164(written, operator.dials_from))
    except ImpossibleNumber:
        return None


def _suggestion(call: Connection, texts: list[str]) -> Suggestion:
    """Return the call with the first of the `texts` that it contains marked."""
    end = party_of(call)
    for one in texts:
        name = marked(end.title, _without_client(one))
        if name.match:
            return Suggestion(call, end, name)
        for where, text in _other_texts(call, end):
            also = marked(text, one)
            if also.match:
                return Suggestion(call, end, name, where, also)
    return Suggestion(call, end, Marked(end.title))


def _without_client(text: str) -> str:
    """Return the text to search for in names, which do not begin with `webrtc:`."""
    is_client = text[: len(CLIENT)].lower() == CLIENT
    return (text[len(CLIENT) :] if is_client else text) or text


def _other_texts(call: Connection, end: Endpoint) -> list[tuple[str, str]]:
    """Return the other texts that a search matches: a named end's number, the other end, and the id."""
    own = [("", end.text)] if end.name else []
    ends = (("from", caller_of(call)), ("to", callee_of(call)))
    far = [(where, text) for where, other in ends if other != end for text in (other.title, other.text)]
    return [*own, *far, ("id", call.connection_id)]
