"""What the search box offers while somebody types: calls, a number to call, and the whole list."""

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

SHOWN = 8
# Whoever types waits no longer for an answer.
PATIENCE = timedelta(milliseconds=400)
# A number that is typed is not offered to be called before it may be whole.
LEAST_DIGITS = 7
TYPE_ON = "Type on: three characters or more."
TOO_MANY = "Too many calls may match. Type more, or press Enter for the list."


@dataclass(frozen=True, slots=True)
class Marked:
    """A text with the part that was looked for; `match` is empty where it is not in there."""

    before: str
    match: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A call; `also` is what was found where that is not in its name, and `where` says which text it is."""

    call: Connection
    end: Endpoint
    name: Marked
    where: str = ""
    also: Marked | None = None


@dataclass(frozen=True, slots=True)
class Suggested:
    """What is offered for `written`; `words` say what there is to say beside, or why there are no calls."""

    written: str
    calls: list[Suggestion]
    words: str = ""
    dials: Endpoint | None = None
    lists: bool = False

    @property
    def summary(self) -> str:
        """The same, for who does not see the list."""
        found = "1 call" if len(self.calls) == 1 else f"{len(self.calls)} calls"
        return self.words or (f"{found} suggested" if self.calls else "")


def suggest(typed: str, operator: Operator) -> Suggested:
    """The newest calls with `typed` in a number, name or id, and what else `operator` may do with it."""
    form = CallsForm({"q": typed}, country=operator.dials_from)
    if not form.is_valid():
        return Suggested(typed, [], " ".join(map(str, form.errors["q"])))
    written: str = form.cleaned_data["q"]
    wanted = search_texts(written, form.dials_from)
    if not wanted[0]:
        return Suggested("", [])
    dials = _dialled(written, operator)
    try:
        calls = _found(filtered(form))
    except TooSlow:
        return Suggested(written, [], TOO_MANY, dials, lists=True)
    if not calls:
        words = TYPE_ON if is_short(wanted[0]) else f"No call has “{written}” in a number, a name or its id."
        return Suggested(written, [], words, dials)
    return Suggested(written, [_suggestion(call, wanted) for call in calls], "", dials, lists=True)


def marked(text: str, wanted: str) -> Marked:
    """`text` with `wanted` marked in it: a number also across what people write between its digits."""
    between = f"{BETWEEN_DIGITS.pattern}*" if is_number(wanted) else ""
    found = re.search(between.join(map(re.escape, wanted)), text, re.IGNORECASE)
    if not found:
        return Marked(text)
    return Marked(text[: found.start()], found[0], text[found.end() :])


def _found(matching: ConnectionQuerySet) -> list[Connection]:
    """The newest of these calls, with their names. Raises `TooSlow`."""
    with within(PATIENCE):
        calls = list(matching.for_rows().newest_first()[:SHOWN])
    name_ends(calls)
    return calls


def _dialled(written: str, operator: Operator) -> Endpoint | None:
    """Whom the form that places calls would call, where a whole number is written and one may."""
    is_whole = is_number(written) and sum(map(str.isdigit, written)) >= LEAST_DIGITS
    if not is_whole or not may_place(operator):
        return None
    try:
        return endpoint_of(e164(written, operator.dials_from))
    except ImpossibleNumber:
        return None


def _suggestion(call: Connection, wanted: list[str]) -> Suggestion:
    """The call with the first of the `wanted` texts that is in it marked where it is."""
    end = party_of(call)
    for one in wanted:
        name = marked(end.title, _without_client(one))
        if name.match:
            return Suggestion(call, end, name)
        for where, text in _other_texts(call, end):
            also = marked(text, one)
            if also.match:
                return Suggestion(call, end, name, where, also)
    return Suggestion(call, end, Marked(end.title))


def _without_client(wanted: str) -> str:
    """What is looked for in names, which do not begin with `webrtc:`."""
    is_client = wanted[: len(CLIENT)].lower() == CLIENT
    return (wanted[len(CLIENT) :] if is_client else wanted) or wanted


def _other_texts(call: Connection, end: Endpoint) -> list[tuple[str, str]]:
    """The other things that a call is found by: a named end's number, its far end, and its id."""
    own = [("", end.text)] if end.name else []
    ends = (("from", caller_of(call)), ("to", callee_of(call)))
    far = [(where, text) for where, other in ends if other != end for text in (other.title, other.text)]
    return [*own, *far, ("id", call.connection_id)]
