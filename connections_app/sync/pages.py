"""Fetch the list's pages ahead of those who write them."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from connections_app.sift.client import SiftClient
from connections_app.sift.errors import BadAnswer
from connections_app.sift.payloads import Page

BATCH_PAGES = 20
BATCH_SECONDS = 1.0
AHEAD = 2 * BATCH_PAGES


@dataclass(frozen=True, slots=True)
class _Ended:
    """The fetching is over: with an error, or at the last page that is wanted."""

    error: Exception | None


def batches(client: SiftClient, url: str, is_last: Callable[[Page], bool]) -> Iterator[list[Page]]:
    """The pages from `url` on, in batches of up to twenty, none of which waits over a second for more.

    Ends at the list's end or with the first page of which `is_last` is true. An empty batch means that
    nothing came within a second. The next pages are fetched, by a thread, while a batch is used. Raises what
    the client raises, after the pages that came before it.
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
    walked: set[int] = set()
    try:
        while url and not enough.is_set():
            if hash(url) in walked:
                raise BadAnswer("Sift's links to the next page lead round in a circle.")
            walked.add(hash(url))
            page = client.list_page(url)
            for one in page.observations:
                _ = one.encoded  # here, while the database works on the pages before
            _hand_over(page, pages, enough)
            url = None if is_last(page) else page.next_url
    except Exception as raised:  # raised again where the pages are used
        error = raised
    _hand_over(_Ended(error), pages, enough)


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
