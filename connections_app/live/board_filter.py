"""What somebody filters the board by. It is read here alone: the page asks for it, and looks in its rows."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Self

from django.http import QueryDict

from connections_app.sift.number_search import search_texts
from connections_app.sift.numbers import ImpossibleNumber, e164, is_number, plain, search_text

LONGEST = 200
# The signs that people put between the digits of a number, also between spaces.
SIGNS = frozenset("+()[]./~-")
# One of the ways must hold: of each of its lists, one text stands in the row.
Ways = list[list[list[str]]]


@dataclass(frozen=True, slots=True)
class Filter:
    """What a person asked of the board: their own calls only, and words or a number that a row must hold."""

    mine: bool = False
    q: str = ""
    country: str = ""

    @classmethod
    def of(cls, query: QueryDict, country: str) -> Self:
        """Numbers are read as people write them in `country` (`GB`)."""
        return cls(query.get("mine") == "1", query.get("q", "").strip()[:LONGEST], country)

    @property
    def ways(self) -> Ways:
        return ways(self.q, self.country)


def ways(q: str, country: str) -> Ways:
    """Return what to look for in the text of a row: one of these ways, of each of whose lists one text.

    Either every word stands in it, pieces of numbers by their digits; or pieces of numbers beside each other
    are one number, as people write it in `country` (`GB`).
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


def finds(wanted: Ways, text: str) -> bool:
    """Return True if nothing is `wanted`, or one of its ways holds for the `folded_text` of a row."""
    return not wanted or any(all(any(one in text for one in texts) for texts in way) for way in wanted)


def folded_text(text: str) -> str:
    """Return `text` in lower case, with one form of sigma, as it is compared here and by `filter.js`."""
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
