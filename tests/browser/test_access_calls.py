"""No page about calls, in any of its states, breaks a rule of access, is too wide, or hides the focus."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.states import (
    CALLS,
    EXPORTS,
    MARKS,
    TAGGED,
    VIEWS,
    State,
)

pytestmark = MARKS

Open = Callable[..., Page]
SignIn = Callable[..., Page]


@pytest.mark.parametrize(
    "states",
    [CALLS[:4], CALLS[4:7], CALLS[7:15], CALLS[15:], VIEWS, TAGGED, EXPORTS],
    ids=["board", "frame and wall", "calls", "one call", "views", "tagged", "exports"],
)
def test_pages_with_calls_in_every_state(
    open_page: Open,
    sign_in: SignIn,
    keys: dict[str, object],
    check: Callable[..., None],
    states: list[State],
) -> None:
    check(sign_in(open_page()), states, keys)
