"""No page, in any of its states, breaks a rule of access, is wider than the window, or hides the focus."""

from collections.abc import Callable

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Page, Route

from tests.browser.states import (
    CONTACTS,
    CONTROL,
    MARKS,
    REST,
    ROUTINES,
    State,
)

pytestmark = MARKS

Open = Callable[..., Page]
SignIn = Callable[..., Page]


@pytest.mark.parametrize(
    "states",
    [CONTROL, CONTACTS, ROUTINES, REST],
    ids=["control", "contacts", "routines", "rest"],
)
def test_pages_with_calls_in_every_state(
    open_page: Open,
    sign_in: SignIn,
    keys: dict[str, object],
    check: Callable[..., None],
    states: list[State],
) -> None:
    page = sign_in(open_page())
    page.route("**/fails/*", failing)
    check(page, states, keys)


def failing(route: Route) -> None:
    """Answer with a page that is shown only when something fails, under the policy of all pages."""
    policy = route.fetch(url=route.request.url.replace("/fails/", "/accounts/")).headers
    name = route.request.url.rsplit("/", 1)[1]
    route.fulfill(
        body=render_to_string(name),
        headers={
            "content-type": "text/html",
            "content-security-policy": policy["content-security-policy"],
        },
    )
