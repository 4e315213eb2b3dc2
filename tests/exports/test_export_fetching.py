"""The file of an export as it is fetched."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import AsyncClient

from connections_app.exports import making
from connections_app.models import Export, Operator
from tests.conftest import in_a_loop
from tests.exports.exported import body_of, written
from tests.exports.test_exports import begun, worked
from tests.factories import many

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
    assert answer["Content-Encoding"] == "identity"


def test_one_that_is_gone_is_not_found(browser: AsyncClient) -> None:
    making.path_of(Export.objects.get()).unlink()
    assert fetched(browser)[0].status_code == 404
