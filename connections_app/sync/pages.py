"""Fetch pages of Sift's list in a thread, ahead of the code that stores them."""

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
MAX_PAGES_AHEAD = 2 * BATCH_PAGES
# A list may contain an empty page, but a list whose pages stay empty would be walked forever.
MAX_EMPTY_PAGES = 5
EMPTY_PAGE_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Ended:
    """The end of fetching: an error, or None after the last page."""

    error: Exception | None


def batches(client: SiftClient, url: str, is_last: Callable[[Page], bool]) -> Iterator[list[Page]]:
    """Yield the pages from `url` on, in batches of at most `BATCH_PAGES` and `BATCH_SECONDS`.

    Ends at the end of the list or after the first page for which `is_last` is true. A batch is empty if no
    page came in time. A thread fetches the next pages while a batch is used, and pauses after an empty page.
    Raises, after the pages fetched before, what the client raises, and `BadAnswer` for links that do not end.
    """
    pages: queue.Queue[Page | _Ended] = queue.Queue(MAX_PAGES_AHEAD)
    stop = threading.Event()
    fetching = threading.Thread(
        target=_fetch, args=(client, url, is_last, pages, stop), name="fetch pages", daemon=True
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
        stop.set()


def _fetch(
    client: SiftClient,
    url: str | None,
    is_last: Callable[[Page], bool],
    pages: "queue.Queue[Page | _Ended]",
    stop: threading.Event,
) -> None:
    error: Exception | None = None
    progress = _Progress()
    encoder = ThreadPoolExecutor(1, "encode pages")
    try:
        while url and not stop.is_set():
            page = client.list_page(url)
            encoder.submit(_encode, page)
            _put(page, pages, stop)
            url = None if is_last(page) and not page.problem else progress.following(page)
            if url and progress.empty_pages:
                stop.wait(EMPTY_PAGE_PAUSE_SECONDS)
    except Exception as raised:  # raised again by `batches`
        error = raised
    _put(_Ended(error), pages, stop)
    encoder.shutdown()


def _encode(page: Page) -> None:
    """Encode the rows while the next page is fetched and the earlier pages are stored."""
    for one in page.observations:
        _ = one.encoded


class _Progress:
    """Ensures that following the list's links ends."""

    def __init__(self) -> None:
        self.walked: set[int] = set()
        self.rows: deque[frozenset[str]] = deque(maxlen=MAX_EMPTY_PAGES)
        self.empty_pages = 0

    def following(self, page: Page) -> str | None:
        """Return the URL of the next page, or None at the end. Raises `BadAnswer` for an endless list.

        A page that only repeats rows of the last few pages also counts as empty.
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
        if self.empty_pages >= MAX_EMPTY_PAGES:
            raise BadAnswer(
                f"Sift's list came to no end: {MAX_EMPTY_PAGES} pages in a row held no further call, "
                "and each led on to another one."
            )
        return page.next_url


def _put(item: Page | _Ended, pages: "queue.Queue[Page | _Ended]", stop: threading.Event) -> None:
    """Queue `item`, but stop waiting once the reader has left."""
    while not stop.is_set():
        try:
            return pages.put(item, timeout=0.5)
        except queue.Full:
            continue


def _gather(pages: "queue.Queue[Page | _Ended]") -> tuple[list[Page], _Ended | None]:
    """Return the pages that come within `BATCH_SECONDS`, at most `BATCH_PAGES`."""
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
