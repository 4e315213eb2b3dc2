"""A list whose links lead on without end is left, with the reason, and nothing that it held is lost."""

from itertools import count
from typing import Any

import pytest
from django.conf import LazySettings

from connections_app.models import Connection, SyncState, Walk
from connections_app.sift.client import SiftClient
from connections_app.sync import pages as fetching
from tests.conftest import ACCOUNT, TOKEN, our_ids
from tests.sync.scripted import Answer, Listing, listing, row
from tests.sync.test_walking import sync

pytestmark = pytest.mark.django_db
numbers = count()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, none of which takes its time."""
    made: list[float] = []

    class Enough(fetching.threading.Event):  # type: ignore[name-defined, misc] # the one that pages.py uses
        def wait(self, timeout: float | None = None) -> bool:
            made.append(timeout or 0)
            return super().wait(0)

    class Threading:
        Event, Thread = Enough, fetching.threading.Thread

    monkeypatch.setattr(fetching, "threading", Threading)
    return made


def use(settings: LazySettings, served: Listing) -> None:
    settings.SIFT_API_URL, settings.SIFT_ACCOUNT_ID, settings.SIFT_AUTH_TOKEN = served.url, ACCOUNT, TOKEN


def page(*rows: dict[str, Any], to: str | None = None) -> dict[str, Any]:
    return {"next": to, "results": list(rows)}


def on() -> str:
    """A cursor that was never there before."""
    return f"/v0/connections?cursor={next(numbers)}"


def after(rows: int, *then: dict[str, Any], to_no_end: bool = True) -> Answer:
    """A page of so many rows, then pages as in `then`, then empty ones without end."""
    following = iter([page(*map(row, range(rows)), to=on()), *then])

    def answer(_: str) -> dict[str, Any]:
        return next(following, page(to=on() if to_no_end else None))

    return answer


def test_five_empty_pages_end_the_walk_as_failed(settings: LazySettings, pauses: list[float]) -> None:
    with listing(after(50)) as served:
        use(settings, served)
        made = sync()
    assert made.state == Walk.State.FAILED
    assert made.error.startswith("Sift's list came to no end: 5 pages in a row held no further call")
    assert len(served.asked) == 6
    assert pauses == [1.0] * 4
    assert Connection.objects.count() == 50
    state = SyncState.objects.get()
    assert (state.error, state.full_wanted) == (made.error, True)


def test_the_watermark_stays_where_it_was(settings: LazySettings, pauses: list[float]) -> None:
    answers = {"now": after(50, to_no_end=False)}
    with listing(lambda path: answers["now"](path)) as served:
        use(settings, served)
        assert sync().state == Walk.State.COMPLETED
        before = SyncState.objects.get().watermark
        assert before is not None
        following = iter([page(*map(row, range(-60, -10)), to=on())])
        answers["now"] = lambda _: next(following, page(to=on()))
        assert sync().state == Walk.State.FAILED
    assert SyncState.objects.get().watermark == before
    assert Connection.objects.filter(connection_id="call--60").exists()


def test_fewer_empty_pages_are_passed_over(settings: LazySettings, pauses: list[float]) -> None:
    first, second = ([page(to=on()) for _ in range(4)] for _ in range(2))
    answer = after(50, *first, page(row(50), to=on()), *second, page(row(51)), to_no_end=False)
    with listing(answer) as served:
        use(settings, served)
        assert sync().state == Walk.State.COMPLETED
    assert Connection.objects.count() == 52
    assert pauses == [1.0] * 8


def test_an_empty_page_at_the_end_is_the_end(settings: LazySettings, pauses: list[float]) -> None:
    with listing(after(50, *(page(to=on()) for _ in range(4)), to_no_end=False)) as served:
        use(settings, served)
        assert sync().state == Walk.State.COMPLETED
    assert pauses == [1.0] * 4


def test_pages_that_repeat_the_same_rows_come_to_an_end_too(
    settings: LazySettings, pauses: list[float]
) -> None:
    with listing(lambda _: page(*map(row, range(50)), to=on())) as served:
        use(settings, served)
        made = sync()
    assert "held no further call" in made.error
    assert (len(served.asked), Connection.objects.count()) == (6, 50)


def test_a_later_walk_goes_on_before_the_empty_pages(settings: LazySettings, pauses: list[float]) -> None:
    second, good = on(), on()
    rows = {"/v0/connections": page(*map(row, range(50)), to=second), second: page(row(50), to=good)}
    with listing(lambda path: rows.get(path, page(to=on()))) as served:
        use(settings, served)
        sync()
        assert SyncState.objects.get().full_cursor == good.removeprefix("/v0")
        asked = len(served.asked)
        sync()
    assert served.asked[asked:][:3] == ["/v0/connections", second, good]


@pytest.mark.parametrize(
    "following",
    [
        "https://elsewhere.example/v0/connections?cursor=x",
        "https://user@{host}/v0/connections?cursor=x",
        "//elsewhere.example/v0/connections",
        "/v0/../other?cursor=x",
        "http://[",
        "http://{host}:port/v0/connections",
        7,
        ["/v0/connections"],
        "/v0/connections",
    ],
)
def test_the_rows_before_a_link_that_is_refused_are_kept(
    settings: LazySettings, pauses: list[float], following: Any
) -> None:
    def answer(_: str) -> dict[str, Any]:
        host = settings.SIFT_API_URL.removeprefix("http://").removesuffix("/v0")
        to = following.replace("{host}", host) if isinstance(following, str) else following
        return page(row(0), row(1), to=to)

    with listing(answer) as served:
        use(settings, served)
        made = sync()
    assert made.state == Walk.State.FAILED
    assert made.error.startswith("Sift's link")
    assert our_ids() == {"call-0", "call-1"}
    assert len(served.asked) == 1


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("https://sift.example/v0", "https://sift.example:443/v0/connections?cursor=x"),
        ("https://sift.example:443/v0", "https://sift.example/v0/connections?cursor=x"),
        ("http://sift.example/v0", "http://sift.example:80/v0/connections?cursor=x"),
        ("https://sift.example/v0", "HTTPS://SIFT.Example/v0/connections?cursor=x"),
        ("https://SIFT.example/v0", "https://sift.EXAMPLE:443/v0/connections?cursor=x"),
        ("https://sift.example/v0", "//sift.example:443/v0/connections?cursor=x"),
        ("https://sift.example/v0", "https://sift.example:/v0/connections?cursor=x"),
        ("https://sift.example/v0", "?cursor=x"),
    ],
)
def test_the_same_origin_may_be_written_in_other_ways(ours: str, theirs: str) -> None:
    client = SiftClient(ours, ACCOUNT, TOKEN)
    following = client._next(client.list_url, theirs)
    assert following == f"{ours}/connections?cursor=x"
    assert client.absolute(client.relative(following)) == following


@pytest.mark.parametrize(
    "theirs",
    [
        "https://sift.example:8443/v0/connections?cursor=x",
        "http://sift.example/v0/connections?cursor=x",
        "http://sift.example:443/v0/connections?cursor=x",
        "https://sift.example.evil.example/v0/connections",
        "https://user:secret@sift.example/v0/connections",
        "https://sift.example@evil.example/v0/connections",
        "https://sift.example\\@evil.example/v0/connections",
    ],
)
def test_another_origin_is_refused(theirs: str) -> None:
    client = SiftClient("https://sift.example/v0", ACCOUNT, TOKEN)
    with pytest.raises(Exception, match="outside SIFT_API_URL") as refused:
        client._next(client.list_url, theirs)
    assert "secret" not in str(refused.value)


def test_a_page_that_begins_with_a_byte_order_mark_is_read(settings: LazySettings) -> None:
    with listing(
        lambda _: b'\xef\xbb\xbf{"next": null, "results": [{"connection_id": "a", "status": "failed"}]}'
    ) as one:
        use(settings, one)
        assert sync().state == Walk.State.COMPLETED
    assert our_ids() == {"a"}
