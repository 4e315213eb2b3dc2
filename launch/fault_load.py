"""The load during the faults: a person places calls, watches the board, and starts syncs."""

import json
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import requests

CSRF = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
PLACE_EVERY_SECONDS = 0.7
SYNC_EVERY_SECONDS = 7.0
ANSWER_SECONDS = 12.0
SAY = '[{"name": "Say", "text": "Hello"}]'


@dataclass
class Load:
    """One person signed in over HTTP at `address`, and the outcomes of their requests."""

    address: str
    password: str
    session: requests.Session = field(default_factory=requests.Session)
    ending: threading.Event = field(default_factory=threading.Event)
    numbers: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    streams: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> None:
        """Sign in, and start the threads."""
        self.sign_in()
        for work in (self._place_on, self._watch_on, self._sync_on):
            threading.Thread(target=work, daemon=True).start()

    def sign_in(self) -> None:
        """Sign in as `admin`. Raises `RuntimeError` if that is refused."""
        page = self.session.get(f"{self.address}/accounts/login/", timeout=ANSWER_SECONDS)
        form = {"username": "admin", "password": self.password, "csrfmiddlewaretoken": _csrf(page.text)}
        answer = self.session.post(page.url, form, timeout=ANSWER_SECONDS, allow_redirects=False)
        if answer.status_code != 302:
            raise RuntimeError(f"Signing in was answered {answer.status_code}.")

    def place(self) -> str:
        """Place one call to a new number. Returns the call's id.

        Raises `requests.RequestException` without an answer, `RuntimeError` if it has no call yet.
        """
        with self.lock:
            self.numbers += 1
            number = f"+1415{5_000_000 + self.numbers * 10 + 5}"  # ends with 5: the sandbox answers it
        form = self._form(request_id=str(uuid4()), phone_number=number, commands=SAY)
        answer = self.session.post(f"{self.address}/calls/place/", form, timeout=ANSWER_SECONDS)
        path = urlsplit(answer.url).path
        if answer.status_code != 200 or not path.startswith("/calls/") or "requests" in path:
            raise RuntimeError(f"{answer.status_code}, {path.split('/')[2]}")
        return unquote(path.split("/")[2])

    def _form(self, **fields: str) -> dict[str, str]:
        return {"csrfmiddlewaretoken": self.session.cookies.get("csrftoken") or "", **fields}

    def _place_on(self) -> None:
        while not self.ending.wait(PLACE_EVERY_SECONDS):
            self._note(self._outcome_of_placing())

    def _outcome_of_placing(self) -> str:
        try:
            self.place()
        except requests.RequestException:
            return "no answer"
        except RuntimeError as error:
            return str(error)
        return "placed"

    def _note(self, outcome: str) -> None:
        with self.lock:
            self.answers[outcome] = self.answers.get(outcome, 0) + 1

    def _sync_on(self) -> None:
        """Request a full sync again and again, as the button on the page does."""
        while not self.ending.wait(SYNC_EVERY_SECONDS):
            with suppress(requests.RequestException):
                self.session.post(f"{self.address}/sync/everything/", self._form(), timeout=ANSWER_SECONDS)

    def _watch_on(self) -> None:
        """Keep one stream of the board open, as a browser does."""
        while not self.ending.is_set():
            try:
                self._read_stream()
            except requests.RequestException:
                self.ending.wait(0.5)

    def _read_stream(self) -> None:
        cookies = self.session.cookies.get_dict()
        stream = requests.get(f"{self.address}/events/", cookies=cookies, stream=True, timeout=(5, 20))
        with stream:
            if stream.status_code != 200:
                self.ending.wait(0.5)
                return
            self.streams += 1
            for line in stream.iter_lines(chunk_size=1):
                if self.ending.is_set():
                    return
                if line.startswith(b"data:"):
                    self._take(json.loads(line[5:]))

    def _take(self, event: dict[str, Any]) -> None:
        with self.lock:
            self.seen |= {row["call"] for row in event.get("rows") or ()}
            self.seen |= set(event.get("others") or ())


def _csrf(page: str) -> str:
    found = CSRF.search(page)
    if found is None:
        raise RuntimeError("The page has no form.")
    return found[1]


def wait_for(condition: Callable[[], object], seconds: float) -> float:
    """Wait until `condition()` is true. Returns the seconds it took. Raises `TimeoutError`."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise TimeoutError
        time.sleep(0.1)
    return time.monotonic() - began
