"""A real Chromium on a real server; a console error or a broken content policy fails the test."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, ConsoleMessage, Page

from connections_app.models import Operator
from connections_app.people.roles import make_administrator
from tests.conftest import Sandbox, running_sandbox
from tests.control.conftest import account, running_dashboard
from tests.live.conftest import session_of

PASSWORD = "correct horse battery"
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


@pytest.fixture
def open_page(chromium: Browser, server: str, transactional_db: None) -> Iterator[Callable[..., Page]]:
    """Open a page of its own context: width in pixels, light or dark, with or without JavaScript."""
    said: list[str] = []
    contexts = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and not is_expected(message):
            said.append(f"{message.text} ({message.location['url']})")

    def open_page(width: int = 1440, scheme: str = "light", scripts: bool = True) -> Page:
        context = chromium.new_context(
            base_url=server,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=scripts,
            service_workers="block",
        )
        contexts.append(context)
        context.expose_function("tellViolation", lambda violation: said.append(violation))
        context.add_init_script(TELLS_OF_VIOLATIONS)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", note)
        page.on("pageerror", lambda error: said.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        for page in context.pages:
            page.title()  # What the page told before is heard first.
        context.close()
    assert said == []


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
    """Have the administrator, or whoever has another name, signed in, and go to the first page.

    By a session alone: `test_a_person_signs_in_by_the_form` types, and so do the tests of what ends sessions.
    """

    def sign_in(page: Page, name: str = administrator.username) -> Page:
        session = session_of(Operator.objects.get(username=name))
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": server}])
        page.goto("/")
        return page

    return sign_in


@pytest.fixture(scope="session")
def axe() -> str:
    return (Path(settings.NODE_MODULES) / "axe-core" / "axe.min.js").read_text()
