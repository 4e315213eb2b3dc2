"""Ask the Sift API: the one way out to Sift."""

import logging
import random
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from copy import copy
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

import requests
from django.conf import settings

from connections_app.sift import pacing
from connections_app.sift.errors import (
    BadAnswer,
    NotKnown,
    NotSent,
    Redirected,
    Refused,
    SiftError,
    Unreachable,
    WrongCredentials,
)
from connections_app.sift.outcomes import Accepted, Placed, Rejected, Unknown
from connections_app.sift.payloads import (
    JSON,
    Observation,
    Page,
    Unusable,
    decode,
    error_words,
    parse_connection,
    parse_rows,
)
from connections_app.sift.transport import CONNECT_SECONDS, Departure, address, exchange, new_session

logger = logging.getLogger(__name__)

READ_SECONDS = 20.0
SHORT_TIMEOUT_SECONDS = 5.0
# How long a person waits for the answer to a POST, and how long its thread does, to settle the outcome late.
POST_SECONDS = 10.0
LATE_SECONDS = 60.0
PROXY_SIGN_IN, REQUEST_TIMEOUT, TOO_MANY_REQUESTS = 407, 408, 429
DEFAULT_PORTS = {"http": 80, "https": 443}
ATTEMPTS = 4
LONGEST_WAIT_SECONDS = 20.0


T = TypeVar("T")
# Told what Sift said after it was no longer waited for.
Late = Callable[[T | Rejected | Unknown], None]


class SiftClient:
    """One account of the Sift API at `url` (no slash at its end), over pooled connections.

    GETs that fail for a passing reason (no connection, a cut body, 429, 5xx) are tried up to four times,
    with growing waits and as `Retry-After` asks. They wait for their turn under `SIFT_REQUESTS_PER_SECOND`,
    unless the client `is_urgent`. `stop`, once set, cuts a wait short. Threads may share one.
    """

    def __init__(
        self,
        url: str,
        account_id: str,
        auth_token: str,
        *,
        attempts: int = ATTEMPTS,
        read_seconds: float = READ_SECONDS,
        stop: threading.Event | None = None,
        is_urgent: bool = False,
    ) -> None:
        self.url = url
        self.attempts = attempts
        self.read_seconds = read_seconds
        self.stop = stop or threading.Event()
        self.is_urgent = is_urgent
        self.credentials = account_id, auth_token
        self.session = new_session(url, account_id, auth_token)

    @classmethod
    def configured(cls, stop: threading.Event | None = None, *, is_urgent: bool = False) -> "SiftClient":
        """A client for the account in the settings."""
        account = settings.SIFT_API_URL, settings.SIFT_ACCOUNT_ID, settings.SIFT_AUTH_TOKEN
        return cls(*account, stop=stop, is_urgent=is_urgent)

    @property
    def list_url(self) -> str:
        return f"{self.url}/connections"

    def list_page(self, url: str) -> Page:
        """The page at `url` (`list_url` is the first). Sift: "List Connections".

        A link to the next page that cannot be followed is the page's `problem`; its rows are good. Raises
        `Refused` for a cursor that Sift does not take, and the other errors of `sift.errors`.
        """
        answer = self._get(url)
        if not isinstance(answer, dict) or not isinstance(answer.get("results"), list):
            raise BadAnswer("Sift's answer is not a page of a list: it has no “results”.")
        observations, unusable = parse_rows(answer["results"])
        try:
            return Page(url, self._next(url, answer.get("next")), observations, unusable)
        except BadAnswer as problem:
            return Page(url, None, observations, unusable, str(problem))

    def retrieve(self, connection_id: str) -> Observation | Unusable:
        """One connection. Raises `NotKnown` when Sift has no such. Sift: "Retrieve a Connection"."""
        return parse_connection(self._get(f"{self.list_url}/{quote(connection_id, safe='')}"))

    def place(
        self, endpoint: dict[str, str], status_url: str, late: Late[Placed] | None = None
    ) -> Placed | Rejected | Unknown:
        """Have Sift call `{"phone_number": E.164}` or `{"client_name": NAME}`, once. Never raises.

        Answers within ten seconds; `late` is then told, from another thread, what Sift said after that.
        Sift: "Create a Connection".
        """
        return self._ask_once(self.list_url, endpoint | {"status_url": status_url}, _placed, late)

    def set_routine(
        self, connection_id: str, routine: list[JSON], late: Late[Accepted] | None = None
    ) -> Accepted | Rejected | Unknown:
        """Stop what runs on a connection and start `routine`, once. Never raises.

        Answers within ten seconds, and `late` as for `place`. Sift: "Set the routine for a connection".
        """
        url = f"{self.list_url}/{quote(connection_id, safe='')}"
        return self._ask_once(url, {"routine": routine}, _accepted, late)

    def _ask_once(
        self, url: str, body: JSON, read: Callable[[bytes], T | Unknown], late: Late[T] | None
    ) -> T | Rejected | Unknown:
        """POST in a thread of its own and wait for that: a socket's time-out does not limit the whole.

        A request that has not left when the wait is over never does: the person may ask again then.
        """
        departure = Departure(POST_SECONDS)
        asked: Future[T | Rejected | Unknown] = Future()

        def ask() -> None:
            asked.set_result(self._post(url, body, read, departure))

        try:
            threading.Thread(target=ask, name="sift-post", daemon=True).start()
        except RuntimeError:  # the system has no thread left
            return Rejected("The dashboard is too busy to ask Sift. Nothing was sent.")
        try:
            return asked.result(POST_SECONDS)
        except TimeoutError:
            if departure.cancel():
                return Rejected(f"{departure.too_late} Nothing was sent.")
            if late:
                asked.add_done_callback(lambda done: late(done.result()))
            return Unknown(f"Sift did not answer within {POST_SECONDS:g} s.")

    def _post(
        self, url: str, body: JSON, read: Callable[[bytes], T | Unknown], departure: Departure
    ) -> T | Rejected | Unknown:
        """Never raises: whatever fails where the request may have left is unknown."""
        try:
            return self._post_once(url, body, read, departure)
        except NotSent as error:
            return Rejected(f"{error} Nothing was sent.")
        except SiftError as error:
            return Unknown(str(error))
        except Exception as error:
            logger.exception("Sift's answer could not be read")
            return Unknown(f"The dashboard could not read Sift's answer ({type(error).__name__}).")

    def _post_once(
        self, url: str, body: JSON, read: Callable[[bytes], T | Unknown], departure: Departure
    ) -> T | Rejected | Unknown:
        # A session of its own: a kept connection may have died unseen, and a POST cannot be tried again.
        with new_session(self.url, *self.credentials, departure) as session:
            limits = self._transport() | {"timeout": (CONNECT_SECONDS, LATE_SECONDS)}
            response, answer = exchange(
                lambda: session.post(url, json=body, **limits), self.url, LATE_SECONDS, departure
            )
        problem = error_in(response, answer)
        if isinstance(problem, Refused) and problem.status != REQUEST_TIMEOUT:
            return Rejected(problem.reason, problem.status)
        if response.status_code == TOO_MANY_REQUESTS:
            return Rejected(str(problem), TOO_MANY_REQUESTS)
        return Unknown(str(problem)) if problem else read(answer)

    def with_short_timeout(self) -> "SiftClient":
        """The same client, but one that asks once and waits for an answer for five seconds only."""
        with_short_timeout = copy(self)
        with_short_timeout.attempts, with_short_timeout.read_seconds = 1, SHORT_TIMEOUT_SECONDS
        return with_short_timeout

    def relative(self, url: str) -> str:
        """`url` without the API's own address, as it is stored."""
        return url.removeprefix(self.url)

    def absolute(self, stored: str) -> str:
        """The URL that `relative` was given."""
        return self.url + stored if stored.startswith("/") else stored

    def close(self) -> None:
        self.session.close()

    def _next(self, url: str, following: JSON) -> str | None:
        """The next page's URL. Raises `BadAnswer` when it leads out of the API's origin and path."""
        if following is None or following == "":
            return None
        if not isinstance(following, str):
            raise BadAnswer("Sift's link to the next page is not a text.")
        try:
            joined = urljoin(url, following)
            is_within = _is_within(joined, self.url)
        except ValueError:
            raise BadAnswer("Sift's link to the next page is no URL; it was not followed.") from None
        if not is_within:
            raise BadAnswer(
                f"Sift's link to the next page leads to {address(joined)}, outside SIFT_API_URL; "
                "it was not followed."
            )
        # The same origin may be written in other ways; one way is stored, compared and asked.
        ours = urlsplit(self.url)
        joined = urlsplit(joined)._replace(scheme=ours.scheme, netloc=ours.netloc, fragment="").geturl()
        if joined == url:
            raise BadAnswer("Sift's link to the next page leads to the same page.")
        return joined

    def _get(self, url: str) -> JSON:
        """The decoded answer to a GET, tried again where that can help."""
        for attempt in range(1, self.attempts + 1):
            try:
                return self._get_once(url)
            except Unreachable as error:
                wait = _wait_seconds(attempt, error.retry_after)
                if attempt == self.attempts or wait > LONGEST_WAIT_SECONDS:
                    raise
                logger.info("Asking Sift again in %.1f s: %s", wait, error)
                if self.stop.wait(wait):
                    raise
        raise AssertionError("at least one attempt")

    def _get_once(self, url: str) -> JSON:
        wait = pacing.turn()
        if wait and not self.is_urgent:
            self.stop.wait(wait)
        response, body = exchange(
            lambda: self.session.get(url, **self._transport()), self.url, self.read_seconds
        )
        if error := error_in(response, body):
            raise error
        try:
            return decode(body)
        except ValueError:
            raise Unreachable("Sift's answer is not JSON.") from None

    def _transport(self) -> dict[str, Any]:
        return {"timeout": (CONNECT_SECONDS, self.read_seconds), "allow_redirects": False, "stream": True}


def error_in(response: requests.Response, body: bytes) -> SiftError | None:
    """The error that an answer stands for, by its status code; None for 2xx."""
    status = response.status_code
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return Redirected(
            f"Sift redirects to {_target(response)}; redirects are not followed. "
            "Set SIFT_API_URL to the address that the API has now."
        )
    if status < 200:
        return BadAnswer(f"Sift's answer ends with a status that announces another one ({status}).")
    if status == PROXY_SIGN_IN:
        return Refused(status, "The proxy on the way to Sift asks for a name and a password.")
    words = error_words(body)
    if status == 429 or status >= 500:
        retry_after = _retry_after(response.headers.get("Retry-After", ""))
        asked = f" and asks to wait {retry_after.total_seconds():.0f} s" if retry_after else ""
        return Unreachable(f"Sift answered {status}{asked}: {words}", retry_after)
    if status in (401, 403):
        return WrongCredentials(status, words)
    return NotKnown(status, words) if status == 404 else Refused(status, words)


def _target(response: requests.Response) -> str:
    """Where a redirect leads, as it can be shown."""
    try:
        return address(urljoin(response.url, response.headers.get("Location", "")))
    except ValueError:
        return "an address that cannot be read"


def _placed(body: bytes) -> Placed | Unknown:
    """What a 2xx answer to a create says: the call, its id alone, or nothing."""
    if not body.strip():
        return Placed()
    try:
        told = decode(body)
    except ValueError:
        return Unknown("Sift's answer is not JSON, or was cut short.")
    if told == {}:
        return Placed()
    row = told["connection"] if isinstance(told, dict) and "connection" in told else told
    match parse_connection(row):
        case Observation() as observation:
            return Placed(observation.connection_id, observation)
        case Unusable(connection_id=str() as connection_id):
            return Placed(connection_id)
    return Unknown("Sift's answer does not say which call it made.")


def _accepted(body: bytes) -> Accepted | Unknown:
    return Accepted()


def _wait_seconds(attempt: int, retry_after: timedelta | None) -> float:
    """What Sift asked for, or a wait that doubles from half a second; never the same for two clients."""
    if retry_after is not None:
        return retry_after.total_seconds() + random.uniform(0, 0.5)  # noqa: S311
    return 2.0 ** (attempt - 2) * random.uniform(0.5, 1.5)  # noqa: S311


def _retry_after(header: str) -> timedelta | None:
    """The header's value, in seconds or as a date; None when it is absent, odd or past."""
    if re.fullmatch(r"\d{1,6}", header.strip(), re.ASCII):
        return timedelta(seconds=int(header))
    try:
        wait = parsedate_to_datetime(header).astimezone(UTC) - datetime.now(UTC)
    except (ValueError, OverflowError):
        return None
    return wait if timedelta() < wait < timedelta(days=10) else None


def _is_within(url: str, base: str) -> bool:
    """Whether `url` has the origin of `base`, and a path below its path. Raises ValueError for no URL."""
    inner, outer = urlsplit(url), urlsplit(base)
    path = unquote(inner.path)
    return (
        _origin(inner) == _origin(outer)
        and path.startswith(f"{unquote(outer.path)}/")
        and not {".", ".."} & set(path.split("/"))
    )


def _origin(url: SplitResult) -> tuple[str, str | None, int | None, bool]:
    """Scheme, host and port, however they are written; and whether a name or a password comes before them."""
    port = DEFAULT_PORTS.get(url.scheme) if url.port is None else url.port
    return url.scheme, url.hostname, port, "@" in url.netloc
