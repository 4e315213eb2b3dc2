"""Fetch the list's pages ahead of those who write them."""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from connections_app.sift.client import SiftClient
from connections_app.sift.errors import BadAnswer
from connections_app.sift.payloads import Page

BATCH_PAGES = 20
BATCH_SECONDS = 1.0
AHEAD = 2 * BATCH_PAGES
# A list may have an empty page in between; one whose pages stay empty would be walked without end.
EMPTY_PAGES_AT_MOST = 5
EMPTY_PAGE_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Ended:
    """The fetching is over: with an error, or at the last page that is wanted."""

    error: Exception | None


def batches(client: SiftClient, url: str, is_last: Callable[[Page], bool]) -> Iterator[list[Page]]:
    """The pages from `url` on, in batches of up to twenty, none of which waits over a second for more.

    Ends at the list's end or with the first page of which `is_last` is true. An empty batch means that
    nothing came within a second. The next pages are fetched, by a thread, while a batch is used; the page
    after an empty one only a second later. Raises what the client raises, and `BadAnswer` for links that
    lead nowhere, after the pages that came before.
    """
    pages: queue.Queue[Page | _Ended] = queue.Queue(AHEAD)
    enough = threading.Event()
    fetching = threading.Thread(
        target=_fetch, args=(client, url, is_last, pages, enough), name="fetch pages", daemon=True
    )
    fetching.start()
    try:
        ended: _Ended | None = None
        while not ended:
            batch, ended = _gather(pages)
            if batch or not ended:
                yield batch
        if ended.error:
            raise ended.error
    finally:
        enough.set()


def _fetch(
    client: SiftClient,
    url: str | None,
    is_last: Callable[[Page], bool],
    pages: "queue.Queue[Page | _Ended]",
    enough: threading.Event,
) -> None:
    error: Exception | None = None
    progress = _Progress()
    encoder = ThreadPoolExecutor(1, "encode pages")
    try:
        while url and not enough.is_set():
            page = client.list_page(url)
            encoder.submit(_encode, page)
            _hand_over(page, pages, enough)
            url = None if is_last(page) and not page.problem else progress.following(page)
            if url and progress.empty_pages:
                enough.wait(EMPTY_PAGE_PAUSE_SECONDS)
    except Exception as raised:  # raised again where the pages are used
        error = raised
    _hand_over(_Ended(error), pages, enough)
    encoder.shutdown()


def _encode(page: Page) -> None:
    """Encode the rows, while the next page is on its way and the database works on the pages before."""
    for one in page.observations:
        _ = one.encoded


class _Progress:
    """Sees to it that following a list's links comes to an end."""

    def __init__(self) -> None:
        self.walked: set[int] = set()
        self.rows: deque[frozenset[str]] = deque(maxlen=EMPTY_PAGES_AT_MOST)
        self.empty_pages = 0

    def following(self, page: Page) -> str | None:
        """The URL of the page after `page`, None at the end. Raises `BadAnswer` where that leads nowhere.

        A page that repeats rows of the last few alone counts as empty, too.
        """
        if page.problem:
            raise BadAnswer(page.problem)
        self.walked.add(hash(page.url))
        rows = frozenset(
            [*(one.connection_id for one in page.observations), *(str(one.payload) for one in page.unusable)]
        )
        self.empty_pages = 0 if rows.difference(*self.rows) else self.empty_pages + 1
        self.rows.append(rows)
        if page.next_url is None:
            return None
        if hash(page.next_url) in self.walked:
            raise BadAnswer("Sift's links to the next page lead round in a circle.")
        if self.empty_pages >= EMPTY_PAGES_AT_MOST:
            raise BadAnswer(
                f"Sift's list came to no end: {EMPTY_PAGES_AT_MOST} pages in a row held no further call, "
                "and each led on to another one."
            )
        return page.next_url


def _hand_over(item: Page | _Ended, pages: "queue.Queue[Page | _Ended]", enough: threading.Event) -> None:
    """Put, but never wait for a reader who has left."""
    while not enough.is_set():
        try:
            return pages.put(item, timeout=0.5)
        except queue.Full:
            continue


def _gather(pages: "queue.Queue[Page | _Ended]") -> tuple[list[Page], _Ended | None]:
    """What comes within a second, twenty pages at the most."""
    batch: list[Page] = []
    deadline = time.monotonic() + BATCH_SECONDS
    while len(batch) < BATCH_PAGES:
        try:
            item = pages.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        if isinstance(item, _Ended):
            return batch, item
        batch.append(item)
    return batch, None
