"""A real Chromium on a real server; a console error or a broken content policy fails the test."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, TimeoutError, expect

from connections_app.models import BulkTagging, Operator, Outcome, Routine, Tag
from connections_app.people.roles import make_administrator
from tests.browser.published import MANY, saved
from tests.browser.rows_in_every_state import (
    asked,
    calls_in_every_state,
    exports_in_every_state,
    views_in_every_state,
    walks_in_every_state,
    what_else_the_admin_lists,
)
from tests.browser.rules import broken
from tests.browser.states import (
    State,
)
from tests.conftest import Sandbox, running_sandbox
from tests.control.conftest import account, running_dashboard
from tests.factories import seen
from tests.live.conftest import session_of

# How long a page may take to show what is expected, on a machine that is busy.
expect.set_options(timeout=20_000)

PASSWORD = "correct horse battery"
NUMBER = "+14155550142"
# What htmx says of a request that was under way when its page was left.
BY_HTMX = ("htmx:afterRequest", "htmx:sendError", "htmx:sendAbort")
# What the browser says of an answer that a test asks for on purpose; never of a file of ours.
BY_BROWSER = re.compile(
    r"Failed to load resource: (the server responded with a status of (40[01349]|422|503) |net::ERR_)"
)
TELLS_OF_VIOLATIONS = """
    addEventListener('securitypolicyviolation', (one) => tellViolation(
        `${one.effectiveDirective} forbids ${one.blockedURI}, ${one.sourceFile}:${one.lineNumber}`
    ))
"""


@pytest.fixture(scope="session")
def sift() -> Iterator[Sandbox]:
    """The sandbox behind every page: no traffic, and calls that last until somebody ends them."""
    with running_sandbox("--rate", "0", "--calls", "20") as sandbox:
        sandbox.configure(answers="connected", ring_seconds=1, idle_seconds=60, after_routine="stay")
        yield sandbox


@pytest.fixture(scope="session")
def server(django_db_setup: None, sift: Sandbox) -> Iterator[str]:
    """The web process as it runs in production, on the test's database; its address."""
    with running_dashboard(account(sift.url)) as dashboard:
        yield dashboard.address


@pytest.fixture(scope="session")
def contexts(chromium: Browser, server: str) -> Iterator["Contexts"]:
    kept = Contexts(chromium, server)
    yield kept
    for context in [*kept.free.values()]:
        for one in context:
            one.close()


class Contexts:
    """Browser contexts that one test after another uses, so that not each loads all scripts and styles again.

    A test begins in each without cookies, storage and pages.
    """

    def __init__(self, chromium: Browser, server: str) -> None:
        self.chromium, self.server = chromium, server
        self.free: dict[tuple[str, bool], list[BrowserContext]] = {}
        self.said: list[str] = []

    def take(self, scheme: str, scripts: bool) -> BrowserContext:
        """Return a context that no page of the present test is in."""
        free = self.free.setdefault((scheme, scripts), [])
        return free.pop() if free else self.make(scheme, scripts)

    def make(self, scheme: str, scripts: bool) -> BrowserContext:
        context = self.chromium.new_context(
            base_url=self.server,
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=scripts,
            service_workers="block",
        )
        context.expose_function("tellViolation", lambda violation: self.said.append(violation))
        context.add_init_script(TELLS_OF_VIOLATIONS)
        return context

    def empty(self, context: BrowserContext) -> None:
        for page in context.pages:
            # What the page told before is heard first.
            page.evaluate("() => { try { localStorage.clear() } catch { /* It has none. */ } }")
            page.close()
        context.clear_cookies()


@pytest.fixture
def open_page(contexts: Contexts, transactional_db: None) -> Iterator[Callable[..., Page]]:
    """Open a page in a context of its own: width in pixels, light or dark, with or without JavaScript.

    A test that has the context's clock stand still, or measures what is loaded, says `alone`.
    """
    contexts.said.clear()
    taken: list[tuple[tuple[str, bool], BrowserContext]] = []
    own: list[BrowserContext] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and not is_expected(message):
            contexts.said.append(f"{message.text} ({message.location['url']})")

    def open_page(
        width: int = 1440, scheme: str = "light", scripts: bool = True, *, alone: bool = False
    ) -> Page:
        if alone:
            own.append(context := contexts.make(scheme, scripts))
        else:
            taken.append(((scheme, scripts), context := contexts.take(scheme, scripts)))
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.set_default_timeout(10_000)
        page.on("console", note)
        page.on("pageerror", lambda error: contexts.said.append(str(error)))
        return page

    yield open_page
    for context in own:
        contexts.empty(context)
        context.close()
    for kind, context in taken:
        contexts.empty(context)
        contexts.free[kind].append(context)
    assert contexts.said == []


def is_expected(message: ConsoleMessage) -> bool:
    is_file = "/static/" in message.location["url"]
    return message.text.startswith(BY_HTMX) or (bool(BY_BROWSER.match(message.text)) and not is_file)


@pytest.fixture
def administrator(db: None) -> Operator:
    operator = Operator(username="root", first_name="Rosa", last_name="Luna")
    operator.set_password(PASSWORD)
    make_administrator(operator)
    return operator


@pytest.fixture
def sign_in(administrator: Operator, server: str) -> Callable[..., Page]:
    """Have the administrator, or whoever has another name, signed in, and go to the page `at` this address.

    By a session alone: `test_a_person_signs_in_by_the_form` types, and so do the tests of what ends sessions.
    """

    def sign_in(page: Page, name: str = administrator.username, at: str = "/") -> Page:
        session = session_of(Operator.objects.get(username=name))
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": server}])
        page.goto(at)
        return page

    return sign_in


@pytest.fixture(scope="session")
def axe() -> str:
    return (Path(settings.NODE_MODULES) / "axe-core" / "axe.min.js").read_text()


@pytest.fixture
def calls(db: None) -> None:
    seen(
        {"connection_id": "a1", "to": NUMBER, "direction": "incoming", "start_time": "2026-05-10T02:28:17Z"},
        {"connection_id": "a2", "to": NUMBER, "status": "failed", "start_time": "2026-05-11T02:28:17Z"},
        {"connection_id": "a3", "from": "webrtc:ana", "start_time": "2026-05-12T02:28:17Z"},
    )


@pytest.fixture
def keys(administrator: Operator) -> dict[str, object]:
    """Calls, requests, routines and walks in every state; the ids that addresses are written with."""
    Routine.objects.filter(name="Old").delete()
    calls_in_every_state()
    walks_in_every_state()
    what_else_the_admin_lists(administrator)
    requests = {outcome.value: asked(outcome, administrator) for outcome in Outcome}
    saved("Old", [{"name": "HangUp"}])
    Routine.objects.filter(name="Old").update(archived_at=timezone.now())
    right = saved("Right", [{"name": "Say", "text": "x" * 300}, {"name": "GetDate", "odd": "y" * 90}])
    wrong = saved("Wrong", [{"name": "HangUp"}], draft=MANY)
    bulks = {bulk.state: bulk.pk for bulk in BulkTagging.objects.all()}
    tag = Tag.objects.earliest("pk").pk
    pages = {"right": right.pk, "wrong": wrong.pk, "tag": tag, "administrator": administrator.pk}
    view = views_in_every_state(administrator)
    exports = exports_in_every_state(administrator)
    return bulks | requests | pages | exports | {"view": view}


@pytest.fixture
def check(axe: str) -> Callable[..., None]:
    """Bring a page into each state of a table, and tell all that is broken there."""

    def check(page: Page, states: list[State], keys: dict[str, Any] | None = None) -> None:
        found: list[str] = []
        for state in states:
            page.goto(state.address.format(**keys or {}))
            with_frame = state.of_frame or state is states[0]
            problems = reached(page, state) or broken(page, axe, with_frame=with_frame)
            found += [f"{state.name} {problem}" for problem in problems]
        assert not found, "\n".join(found)

    return check


def reached(page: Page, state: State) -> list[str]:
    """Bring the page into the state; what tells that it is not there."""
    try:
        state.do(page)
        expect(page.get_by_text(state.sign).filter(visible=True).first).to_be_visible()
    except (AssertionError, TimeoutError) as missing:
        return [f"is not reached, {page.url}: {missing}".partition("\nCall log")[0]]
    return []
