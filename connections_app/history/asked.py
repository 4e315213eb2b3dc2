"""The filters of a list's address, for what is done with all calls that match: none of them is ignored."""

from urllib.parse import urlencode

from django.http import QueryDict
from django.utils import timezone

from connections_app.history.filters import CallsForm, When
from connections_app.history.links import pairs_of

# What a list's address holds beside its filters: where in the list it is, and how it looks.
BESIDE_FILTERS = {"above", "below", "before", "after", "view"}


class Refused(ValueError):
    """What is asked for cannot be done; the text says why."""


def form_of(query: QueryDict) -> CallsForm:
    """The valid form that a list's query string holds, in the zone that is active. Raises `Refused`."""
    for name in query:
        if name not in CallsForm.base_fields and name not in BESIDE_FILTERS:
            raise Refused(f"“{name}” is not a filter of the list of calls.")
    form = CallsForm(query)
    if not form.is_valid():
        raise Refused(form.problems)
    return form


def pinned(query: QueryDict) -> str:
    """What a valid `query` asks for, with days told from today as dates: it asks for the same tomorrow."""
    pairs = [pair for pair in pairs_of(query) if pair[0] != "when"]
    if when := query.get("when"):
        days = zip(("since", "until"), When(when).days(timezone.localdate()), strict=True)
        pairs += [(name, str(day)) for name, day in days if day]
    return urlencode(pairs)
