"""Take the picture that README.md shows, or pictures of every page: `script/pictures [--all] [FOLDER]`."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from launch import environment as env
from launch.test import chromium

IN_README = env.ROOT / "docs" / "images"
DATA = env.ROOT / ".data" / "pictures"
NAME, PASSWORD = "marta", "correct horse battery"
START_SECONDS = 180.0
WIDTHS = (1440, 390)
THEMES = ("light", "dark")
MIN_ROWS = 10
NUMBERS = ("+14155550142", "+442079460018", "+4930901820", "+12125550199")
# Sandbox settings: placed calls are answered, and last until the pictures are taken.
LONG_CALLS = {"answers": "connected", "ring_seconds": 1, "idle_seconds": 600, "after_routine": "stay"}
Do = Callable[[Page], object]


class State(NamedTuple):
    """A page in one state: its address, and what to do after it has loaded."""

    name: str
    address: str
    do: Do = lambda page: None


def main(given: Sequence[str]) -> None:
    """Take the requested pictures."""
    arguments = argparse.ArgumentParser(prog="script/pictures", description="Take pictures of the dashboard.")
    arguments.add_argument(
        "--all", action="store_true", help="each page, empty and full, in each size and theme"
    )
    arguments.add_argument("folder", nargs="?", type=Path, help="docs/images; with --all, .data/pictures")
    chosen = arguments.parse_args(given)
    folder = chosen.folder or (DATA if chosen.all else IN_README)
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        with dashboard("--sandbox-rate", "3") as address:
            taken = signed_in(browser, address, 1440, "light")
            board(taken, folder / "board.png")
            if chosen.all:
                take_all(browser, address, FULL, folder / "full")
        if chosen.all:
            with dashboard("--sandbox-calls", "0", "--sandbox-rate", "0") as address:
                take_all(browser, address, EMPTY, folder / "empty")
    print(f"The pictures are in {folder}.")


@contextmanager
def dashboard(*options: str) -> Iterator[str]:
    """Run a dashboard on a sandbox and yield its address; its data is removed afterwards."""
    shutil.rmtree(DATA / "run", ignore_errors=True)
    port = env.free_port()
    # Empty variables override .env: the pictures must not use the account and the database of the user.
    own = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "SIFT_ACCOUNT_ID", "SIFT_AUTH_TOKEN", "PUBLIC_URL"), "")
    own |= {"DATA_DIR": str(DATA / "run"), "ADMIN_USERNAME": NAME, "ADMIN_PASSWORD": PASSWORD}
    command = [sys.executable, str(env.ROOT / "launch"), "run", "--port", str(port), *options]
    with subprocess.Popen(command, env=os.environ | own, stdout=subprocess.DEVNULL) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until_ready(f"{address}/readyz", process)
            yield address
        finally:
            process.terminate()
            process.wait()
            shutil.rmtree(DATA / "run", ignore_errors=True)


def wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until `url` answers; exit if the process ends or START_SECONDS pass before that."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - our own
            return
        except (OSError, urllib.error.URLError):
            time.sleep(0.2)
    sys.exit("The dashboard did not start; script/run says why.")


def signed_in(browser: Browser, address: str, width: int, theme: str) -> Page:
    """Return a new page with that width (px) and theme, signed in and at the board."""
    page = browser.new_page(
        base_url=address,
        viewport={"width": width, "height": 900},
        color_scheme="dark" if theme == "dark" else "light",
    )
    page.goto("/accounts/login/")
    page.fill("input[name=username]", NAME)
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/")
    return page


def board(page: Page, file: Path) -> None:
    """Place some calls, wait for MIN_ROWS rows, and take a picture of the board."""
    configure_sandbox(**LONG_CALLS)
    for number, phone in enumerate(NUMBERS):
        page.goto(f"/calls/place/?number={phone.replace('+', '%2B')}")
        if number % 2:
            page.get_by_text("Write commands instead").click()
            page.locator("#id_commands").fill('[{"name": "JoinConference", "conference_name": "ward 7"}]')
        page.locator("[data-place]").click()
        page.wait_for_url(lambda url: "/place/" not in url)
    page.goto("/")
    page.locator("tbody tr").nth(MIN_ROWS - 1).wait_for()
    page.locator(".freshness:has-text('Live')").first.wait_for()
    picture(page, file)


def configure_sandbox(**settings: object) -> None:
    """Change settings of the sandbox."""
    port = (DATA / "run" / "sandbox_port").read_text()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/_sandbox/settings",
        json.dumps(settings).encode(),
        {"Content-Type": "application/json"},
        method="PUT",
    )
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310


def take_all(browser: Browser, address: str, states: Sequence[State], folder: Path) -> None:
    """Take a picture of each state, in each width and theme."""
    folder.mkdir(exist_ok=True)
    for width in WIDTHS:
        for theme in THEMES:
            page = signed_in(browser, address, width, theme)
            for state in states:
                page.goto(state.address)
                state.do(page)
                page.wait_for_timeout(400)  # for fragments and animations
                picture(
                    page, folder / f"{state.name}-{width}-{theme}.png", whole=state.name not in ONE_SCREEN
                )
            page.context.close()


def picture(page: Page, file: Path, *, whole: bool = False) -> None:
    """Take a picture of the visible part of the page, or of the `whole` page."""
    page.wait_for_load_state()
    page.wait_for_function("document.fonts.status === 'loaded'")
    page.screenshot(path=file, full_page=whole)
    print(file.name, flush=True)


def click(selector: str) -> Do:
    """Return a step that clicks the first match."""
    return lambda page: page.locator(selector).first.click()


def follow(selector: str) -> Do:
    """Return a step that opens the first matching link."""
    return lambda page: page.goto(page.locator(selector).first.get_attribute("href") or "/")


def then(*steps: Do) -> Do:
    """Return a step that runs `steps` in order."""
    return lambda page: [step(page) for step in steps]


def fill_in(page: Page) -> None:
    """Fill in the form for placing a call."""
    page.get_by_label("Phone number").fill("(415) 555-0142")
    page.locator("#id_routine").select_option(index=1)
    page.wait_for_timeout(800)


def place_refused(page: Page) -> None:
    """Place a call that the sandbox refuses."""
    page.locator("[data-place]").click()
    page.wait_for_url("**/requests/**")


def sign_out(page: Page) -> None:
    """Sign out and open the sign-in page."""
    page.context.clear_cookies()
    page.goto("/accounts/login/?next=/sync/")


def sign_in_wrongly(page: Page) -> None:
    """Try to sign in with a wrong password."""
    page.fill("input[name=username]", NAME)
    page.fill("input[name=password]", "wrong")
    page.keyboard.press("Enter")
    page.locator("#sign-in-error").wait_for()


A_LIVE_CALL = follow("tbody tr a[href^='/calls/']")
A_ROUTINE = follow("main tbody a[href^='/routines/']")
ONE_SCREEN = ("board", "board-asks", "menu", "keys", "wall")
FULL = (
    State("board", "/"),
    State("board-asks", "/", click("[data-arm]")),
    State("board-hidden", "/?q=zzz"),
    State("menu", "/", click(".person")),
    State("keys", "/", lambda page: page.keyboard.press("?")),
    State("wall", "/?wall=1"),
    State("calls", "/calls/"),
    State("calls-filtered", "/calls/?q=415&status=failed&status=finished"),
    State("calls-none", "/calls/?q=zzz&status=failed"),
    State("calls-wrong", "/calls/?since=banana"),
    State("call-live", "/", A_LIVE_CALL),
    State("call-past", "/calls/?status=finished", follow("tbody a[href^='/calls/']")),
    State("call-failed", "/calls/?status=failed", follow("tbody a[href^='/calls/']")),
    State("place", "/calls/place/"),
    State("place-filled", "/calls/place/", fill_in),
    State("place-wrong", "/calls/place/", click("[data-place]")),
    State("push", "/", then(A_LIVE_CALL, follow("main a[href$='/routine/']"))),
    State("hang-up", "/", then(A_LIVE_CALL, follow("main a[href$='/hangup/']"))),
    State("request-refused", "/calls/place/?number=%2B14155550000", place_refused),
    State("routines", "/routines/"),
    State("routine", "/routines/", A_ROUTINE),
    State("routine-edit", "/routines/", then(A_ROUTINE, follow("main a[href$='/edit/']"))),
    State("routine-new", "/routines/new/"),
    State("sync", "/sync/"),
    State("addresses", "/sync/", click("main button:has-text('addresses')")),
    State("preferences", "/accounts/preferences/"),
    State("not-found", "/nowhere/"),
    State("admin", "/admin/"),
    State("admin-calls", "/admin/connections_app/connection/"),
    State("admin-actions", "/admin/connections_app/action/"),
    State("admin-operator", "/admin/connections_app/operator/", follow("#result_list tbody th a")),
    State("admin-operator-add", "/admin/connections_app/operator/add/"),
    State("admin-rule", "/admin/connections_app/inboundrule/add/"),
    State("admin-role", "/admin/auth/group/", follow("#result_list tbody th a")),
    State("sign-in", "/", sign_out),
    State("sign-in-refused", "/accounts/login/", sign_in_wrongly),
)
EMPTY = tuple(
    state
    for state in FULL
    if state.name
    in ("board", "wall", "calls", "calls-none", "place", "routines", "sync", "preferences", "admin")
)
