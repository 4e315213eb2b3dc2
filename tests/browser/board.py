"""The live board as a browser shows it, and calls that come, change and end while it does."""

from typing import Any

from playwright.sync_api import Locator, Page, expect

from connections_app.models import Connection
from tests.factories import seen

# How far everything moved that nobody asked to move, summed up as browsers measure it.
WATCH_SHIFTS = """() => {
    window.shifted = 0;
    new PerformanceObserver((list) => {
        for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifted += one.value;
    }).observe({type: 'layout-shift', buffered: false});
}"""


def live(connection_id: str, **fields: str) -> Connection:
    """A call as it is seen now, in progress unless told otherwise."""
    seen({"connection_id": connection_id, "status": "connected", "to": f"webrtc:{connection_id}"} | fields)
    return Connection.objects.get(connection_id=connection_id)


def row(page: Page, connection_id: str) -> Locator:
    """By its key: a call of an earlier test that had the same id may still be leaving."""
    return page.locator(f"#call-{Connection.objects.get(connection_id=connection_id).pk}")


def is_up(page: Page) -> Page:
    """The page, once its stream brought the whole board."""
    expect(page.locator("body")).to_have_attribute("data-connection", "up")
    return page


def shown(page: Page) -> list[Any]:
    """The calls that the table shows, from top to bottom."""
    calls = {f"call-{pk}": name for pk, name in Connection.objects.values_list("pk", "connection_id")}
    ids = page.locator("#calls tr:visible").evaluate_all("(rows) => rows.map((row) => row.id)")
    return [calls[one] for one in ids if one in calls]


def hide_tab(page: Page, hidden: bool = True) -> None:
    """Tell the page that its tab is hidden, or shown again."""
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden});
            document.dispatchEvent(new Event('visibilitychange'));
        }""",
        hidden,
    )


BOX = "(row) => JSON.stringify(row.getBoundingClientRect())"
# When a row first appears, by this machine's clock.
NOTE_ARRIVALS = """() => {
    window.arrived = {};
    new MutationObserver((changes) => {
        for (const change of changes) {
            for (const row of change.addedNodes) window.arrived[row.dataset.call] = Date.now();
        }
    }).observe(document.getElementById('calls'), {childList: true});
}"""
NOTE_SWAPS = """() => {
    window.swapped = [];
    new MutationObserver((changes) => {
        for (const change of changes) for (const one of change.addedNodes) {
            if (one.nodeType === 1) window.swapped.push(one.className || one.localName);
        }
    }).observe(document.querySelector('table'), {childList: true, subtree: true});
}"""
