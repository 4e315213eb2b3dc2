"""The filters in a list's URL, for actions on all calls that match: no filter is ignored."""

from urllib.parse import urlencode

from django.conf import settings
from django.http import QueryDict
from django.utils import timezone

from connections_app.call_list.filters import COUNTRY_PARAMETER, CallsForm, When
from connections_app.call_list.links import pairs_of, words
from connections_app.sift.number_search import search_texts

# Parameters of a list's URL that are not filters: its page, its view, and how numbers are read.
OTHER_PARAMETERS = {"above", "below", "before", "after", "view", COUNTRY_PARAMETER}


class InvalidQuery(ValueError):
    """Raised if a request cannot be fulfilled; the text gives the reason."""


def form_of(query: QueryDict) -> CallsForm:
    """Return the form of a list's query string, in the current time zone. Raises `InvalidQuery`."""
    for name in query:
        if name not in CallsForm.base_fields and name not in OTHER_PARAMETERS:
            raise InvalidQuery(f"“{name}” is not a filter of the list of calls.")
    form = CallsForm(query)
    if not form.is_valid():
        raise InvalidQuery(form.problems)
    return form


def with_fixed_dates(query: QueryDict, country: str) -> str:
    """Return a valid `query` with days relative to today as dates, so that it means the same tomorrow.

    Numbers in it are read as in `country` (`GB`), for every reader.
    """
    pairs = [pair for pair in pairs_of(query) if pair[0] != "when"]
    if when := query.get("when"):
        days = zip(("since", "until"), When(when).days(timezone.localdate()), strict=True)
        pairs += [(name, str(day)) for name, day in days if day]
    return in_country(urlencode(pairs), country)


def in_country(query: str, country: str) -> str:
    """Return a list's query string whose numbers are read as in `country` (`GB`), for every reader."""
    parameters = QueryDict(query)
    text = parameters.get("q", "")
    if COUNTRY_PARAMETER in parameters or search_texts(text, country) == search_texts(
        text, settings.DEFAULT_COUNTRY
    ):
        return query
    return f"{query}&{urlencode({COUNTRY_PARAMETER: country})}"


def filter_words(query: str) -> str:
    """Return the filters of a query string in words, also of one that is no longer valid."""
    form = CallsForm(QueryDict(query))
    form.is_valid()
    return words(form, QueryDict(query))
