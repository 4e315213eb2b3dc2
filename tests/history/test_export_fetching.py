"""The file of an export as it is fetched: whole, and from where a download was cut off."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import AsyncClient

from connections_app.models import Export, Operator
from tests.conftest import in_a_loop
from tests.history.exported import body_of, written
from tests.history.test_exports import begun, worked
from tests.history.test_pages import many

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def browser(make_operator: Callable[..., Operator], settings: LazySettings, tmp_path: Path) -> AsyncClient:
    """Of somebody who has an export of 60 calls."""
    settings.DATA_DIR = tmp_path
    ana = make_operator("ana")
    many(60)
    worked(begun(ana).pk)
    client = AsyncClient()
    client.force_login(ana)
    return client


def fetched(browser: AsyncClient, **headers: str) -> tuple[Any, bytes]:
    """The answer and its body; a browser takes what is packed."""

    address = f"/exports/{Export.objects.get().pk}/file/"

    async def fetch() -> tuple[Any, bytes]:
        answer = await browser.get(address, headers={"Accept-Encoding": "gzip"} | headers)
        return answer, await body_of(answer)

    return in_a_loop(fetch())


def test_it_is_the_whole_file_not_packed(browser: AsyncClient) -> None:
    answer, body = fetched(browser)
    assert (answer.status_code, body) == (200, written())
    assert answer["Content-Length"] == str(len(body))
    assert answer["Content-Disposition"] == 'attachment; filename="calls.csv"'
    assert (answer["Accept-Ranges"], answer["Content-Encoding"]) == ("bytes", "identity")


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [("bytes=100-", 100, None), ("bytes=0-0", 0, 1), ("bytes=7-99999999", 7, None), ("bytes=-5", -5, None)],
)
def test_a_part_is_fetched(browser: AsyncClient, asked: str, first: int, end: int | None) -> None:
    whole = written()
    answer, body = fetched(browser, Range=asked)
    assert (answer.status_code, body) == (206, whole[first:end])
    start = first % len(whole)
    assert answer["Content-Range"] == f"bytes {start}-{start + len(body) - 1}/{len(whole)}"
    assert answer["Content-Length"] == str(len(body))


@pytest.mark.parametrize("asked", ["bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,4-5", "lines=1-2"])
def test_what_names_no_part_gets_the_whole(browser: AsyncClient, asked: str) -> None:
    answer, body = fetched(browser, Range=asked)
    assert (answer.status_code, body) == (200, written())


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
def test_a_part_that_there_is_not_is_refused(browser: AsyncClient, asked: str) -> None:
    answer, body = fetched(browser, Range=asked)
    assert (answer.status_code, body) == (416, b"")
    assert answer["Content-Range"] == f"bytes */{len(written())}"


def test_a_download_goes_on_with_the_file_that_it_began(browser: AsyncClient) -> None:
    tag = fetched(browser)[0]["ETag"]
    answer, body = fetched(browser, **{"Range": "bytes=100-", "If-Range": tag})
    assert (answer.status_code, body) == (206, written()[100:])
    answer, body = fetched(browser, **{"Range": "bytes=100-", "If-Range": '"another"'})
    assert (answer.status_code, body) == (200, written())
