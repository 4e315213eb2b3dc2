"""The filter of the board. Only this module parses it: the page requests the result and applies it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Self

from django.http import QueryDict

from connections_app.sift.number_search import search_texts
from connections_app.sift.numbers import ImpossibleNumber, e164, is_number, plain, search_text

MAX_LENGTH = 200  # characters
# People write these between the digits of a number, also as words of their own.
SIGNS = frozenset("+()[]./~-")
# Alternatives: a row matches a way if it contains at least one text of each of its lists.
Ways = list[list[list[str]]]


@dataclass(frozen=True, slots=True)
class Filter:
    """What a person filters by: their own calls only, and words or a number that a row must contain."""

    mine: bool = False
    q: str = ""
    country: str = ""

    @classmethod
    def of(cls, query: QueryDict, country: str) -> Self:
        """Return the filter in `query`; numbers are written as in `country` (`GB`)."""
        return cls(query.get("mine") == "1", query.get("q", "").strip()[:MAX_LENGTH], country)

    @property
    def ways(self) -> Ways:
        """Return the ways in which a row can match."""
        return ways(self.q, self.country)


def ways(q: str, country: str) -> Ways:
    """Return the ways in which the text of a row can match `q`; none for an empty `q`.

    Either the text contains every word, with pieces of numbers compared by their digits; or neighbouring
    pieces of numbers form one number, as people write it in `country` (`GB`).
    """
    words = q.split()
    if not words:
        return []
    by_word = [[search_text(word)] for word in words if plain(word).strip("-./~ ")]
    by_number = list(_by_number(words, country))
    found = [by_word, by_number]
    with suppress(ImpossibleNumber):
        found.append([[e164(q, country)]])
    folded = [[[folded_text(text) for text in texts] for texts in way] for way in found]
    return [way for place, way in enumerate(folded) if way and way not in folded[:place]]


def matches(ways: Ways, text: str) -> bool:
    """Return True if there are no `ways`, or one of them matches the `folded_text` of a row."""
    return not ways or any(all(any(one in text for one in texts) for texts in way) for way in ways)


def folded_text(text: str) -> str:
    """Return `text` in lower case, with one form of sigma, for comparison here and in `filter.js`."""
    return text.lower().replace("ς", "σ")


def _by_number(words: list[str], country: str) -> Iterator[list[str]]:
    for is_piece, run in groupby(words, _is_piece):
        pieces = list(run)
        if is_piece and is_number(" ".join(pieces)):
            yield search_texts(" ".join(pieces), country)
        else:
            yield from ([word] for word in pieces)


def _is_piece(word: str) -> bool:
    return is_number(word) or not set(plain(word)) - SIGNS
