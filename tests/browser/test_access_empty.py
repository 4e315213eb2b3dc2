"""The same holds where there is nothing to show, or only to look at, and for signing in."""

from collections.abc import Callable

from playwright.sync_api import Page

from connections_app.models import (
    Operator,
    Role,
)
from tests.browser.states import (
    MARKS,
    NOTHING_YET,
    SIGN_IN,
    TO_A_VIEWER,
)

pytestmark = MARKS

Open = Callable[..., Page]
SignIn = Callable[..., Page]


def test_pages_of_a_dashboard_that_has_seen_nothing(
    open_page: Open, sign_in: SignIn, check: Callable[..., None]
) -> None:
    check(sign_in(open_page()), NOTHING_YET)


def test_pages_for_those_who_may_only_look(
    open_page: Open,
    sign_in: SignIn,
    keys: dict[str, object],
    check: Callable[..., None],
    make_operator: Callable[..., Operator],
) -> None:
    make_operator("viewer", Role.VIEWER)
    check(sign_in(open_page(), "viewer"), TO_A_VIEWER)


def test_signing_in(open_page: Open, administrator: Operator, check: Callable[..., None]) -> None:
    check(open_page(), SIGN_IN)
