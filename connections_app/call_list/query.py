"""The filters of a list's address, for what is done with all calls that match: none of them is ignored."""

from urllib.parse import urlencode

from django.conf import settings
from django.http import QueryDict
from django.utils import timezone

from connections_app.call_list.filters import COUNTRY, CallsForm, When
from connections_app.call_list.links import pairs_of, words
from connections_app.sift.number_search import search_texts

# What a list's address holds beside its filters: where in the list it is, how it looks, how numbers are read.
BESIDE_FILTERS = {"above", "below", "before", "after", "view", COUNTRY}


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


def with_fixed_dates(query: QueryDict, country: str) -> str:
    """What a valid `query` asks for, with days told from today as dates: it asks for the same tomorrow.

    Numbers in it are read as in `country`, whoever reads it.
    """
    pairs = [pair for pair in pairs_of(query) if pair[0] != "when"]
    if when := query.get("when"):
        days = zip(("since", "until"), When(when).days(timezone.localdate()), strict=True)
        pairs += [(name, str(day)) for name, day in days if day]
    return in_country(urlencode(pairs), country)


def in_country(query: str, country: str) -> str:
    """A list's query string by which numbers are read as in `country` (`GB`), whoever reads it later."""
    asked = QueryDict(query)
    text = asked.get("q", "")
    if COUNTRY in asked or search_texts(text, country) == search_texts(text, settings.DEFAULT_COUNTRY):
        return query
    return f"{query}&{urlencode({COUNTRY: country})}"


def filter_words(query: str) -> str:
    """The filter that a query string holds, in words, also one that is not understood any more."""
    form = CallsForm(QueryDict(query))
    form.is_valid()
    return words(form, QueryDict(query))
