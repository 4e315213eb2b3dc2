"""No page of ours takes the address of a call, for any id that a call can have."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

from connections_app.sift.connection_ids import RESERVED, SHARED, problem_with_id

CALL = "<str:connection_id>"


def routes(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for one in patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, route)
        else:
            yield route


def below_calls() -> list[list[str]]:
    """The segments of each route below `/calls/`."""
    found = [
        route.removeprefix("calls/").strip("/").split("/")
        for route in routes(get_resolver().url_patterns)
        if route.startswith("calls/") and route != "calls/"
    ]
    assert len(found) > 20
    return found


def test_each_page_beside_the_calls_has_a_word_that_is_reserved_or_shared() -> None:
    pages = {route[0] for route in below_calls() if len(route) == 1 and route[0] != CALL}
    assert pages == RESERVED | SHARED


def test_no_page_takes_what_is_below_a_call() -> None:
    below_a_call = {tuple(route[1:]) for route in below_calls() if route[0] == CALL and len(route) > 1}
    assert ("hangup",) in below_a_call
    others = [route for route in below_calls() if route[0] != CALL and route[0] not in RESERVED]
    taken = [route for route in others for tail in below_a_call if is_same(route[1:], tail)]
    assert taken == []


def is_same(one: list[str], other: tuple[str, ...]) -> bool:
    """Return whether one path can be meant by both; a number stands for a number only."""
    return len(one) == len(other) and all(
        a == b or (a.startswith("<str:") and not b.startswith("<")) for a, b in zip(one, other, strict=True)
    )


def test_a_reserved_word_is_no_id() -> None:
    assert all(problem_with_id(word) for word in RESERVED)
    assert not any(problem_with_id(word) for word in SHARED)
