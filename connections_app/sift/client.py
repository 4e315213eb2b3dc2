"""Send requests to the Sift API. Nothing else in the project does."""

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
    ConnectionNotFound,
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
POST_SECONDS = 10.0  # a person waits for the answer to a POST
LATE_SECONDS = 60.0  # its thread waits longer, to settle the outcome late
PROXY_SIGN_IN, REQUEST_TIMEOUT, TOO_MANY_REQUESTS = 407, 408, 429
DEFAULT_PORTS = {"http": 80, "https": 443}
ATTEMPTS = 4
LONGEST_WAIT_SECONDS = 20.0


T = TypeVar("T")
# Called with the outcome if Sift answers after the caller has stopped waiting.
Late = Callable[[T | Rejected | Unknown], None]


class SiftClient:
    """One account of the Sift API at `url` (no slash at its end), over pooled connections.

    GETs that fail for a temporary reason (no connection, a cut body, 429, 5xx) are tried up to four times,
    with growing waits or after `Retry-After`. They are limited to `SIFT_REQUESTS_PER_SECOND`, unless the
    client `is_urgent`. Setting `stop` ends any wait. Threads may share one client.
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
        """Return a client for the account in the settings."""
        account = settings.SIFT_API_URL, settings.SIFT_ACCOUNT_ID, settings.SIFT_AUTH_TOKEN
        return cls(*account, stop=stop, is_urgent=is_urgent)

    @property
    def list_url(self) -> str:
        """Return the URL of the list's first page."""
        return f"{self.url}/connections"

    def list_page(self, url: str) -> Page:
        """Return the page at `url` (`list_url` is the first). Sift: "List Connections".

        If the link to the next page cannot be followed, the page's `problem` says why; its rows are good.
        Raises `Refused` for a cursor that Sift rejects, and the other errors of `sift.errors`.
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
        """Return one connection, or raise `ConnectionNotFound`. Sift: "Retrieve a Connection"."""
        return parse_connection(self._get(f"{self.list_url}/{quote(connection_id, safe='')}"))

    def place(
        self, endpoint: dict[str, str], status_url: str, late: Late[Placed] | None = None
    ) -> Placed | Rejected | Unknown:
        """Have Sift call `{"phone_number": E.164}` or `{"client_name": NAME}`, once. Never raises.

        Returns within ten seconds. If Sift answers later, another thread calls `late` with the outcome.
        Sift: "Create a Connection".
        """
        return self._post_in_thread(self.list_url, endpoint | {"status_url": status_url}, _placed, late)

    def set_routine(
        self, connection_id: str, routine: list[JSON], late: Late[Accepted] | None = None
    ) -> Accepted | Rejected | Unknown:
        """Stop what runs on a connection and start `routine`, once. Never raises.

        Returns within ten seconds; `late` as for `place`. Sift: "Set the routine for a connection".
        """
        url = f"{self.list_url}/{quote(connection_id, safe='')}"
        return self._post_in_thread(url, {"routine": routine}, _accepted, late)

    def _post_in_thread(
        self, url: str, body: JSON, read: Callable[[bytes], T | Unknown], late: Late[T] | None
    ) -> T | Rejected | Unknown:
        """POST in a separate thread and wait for it: a socket's time-out does not limit the whole exchange.

        A request that has not left when the wait ends never leaves, so that the person may try again.
        """
        departure = Departure(POST_SECONDS)
        outcome: Future[T | Rejected | Unknown] = Future()

        def post() -> None:
            outcome.set_result(self._post(url, body, read, departure))

        try:
            threading.Thread(target=post, name="sift-post", daemon=True).start()
        except RuntimeError:  # the system has no thread left
            return Rejected("The dashboard is too busy to ask Sift. Nothing was sent.")
        try:
            return outcome.result(POST_SECONDS)
        except TimeoutError:
            if departure.cancel():
                return Rejected(f"{departure.too_late} Nothing was sent.")
            if late:
                outcome.add_done_callback(lambda done: late(done.result()))
            return Unknown(f"Sift did not answer within {POST_SECONDS:g} s.")

    def _post(
        self, url: str, body: JSON, read: Callable[[bytes], T | Unknown], departure: Departure
    ) -> T | Rejected | Unknown:
        """Send, and return the outcome. Never raises: a failure after it may have left is `Unknown`."""
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
        # A new session: a pooled connection may be dead, and a POST must not be repeated.
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
        """Return a copy of this client that tries once and waits only five seconds for an answer."""
        with_short_timeout = copy(self)
        with_short_timeout.attempts, with_short_timeout.read_seconds = 1, SHORT_TIMEOUT_SECONDS
        return with_short_timeout

    def relative(self, url: str) -> str:
        """Return `url` without the API's own address, as it is stored."""
        return url.removeprefix(self.url)

    def absolute(self, stored: str) -> str:
        """Return the full URL of one that `relative` shortened."""
        return self.url + stored if stored.startswith("/") else stored

    def close(self) -> None:
        """Close the pooled connections."""
        self.session.close()

    def _next(self, url: str, following: JSON) -> str | None:
        """Return the next page's URL. Raises `BadAnswer` if it is outside the API's origin and path."""
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
        # The same origin can be written in several ways; only ours is stored, compared and requested.
        ours = urlsplit(self.url)
        joined = urlsplit(joined)._replace(scheme=ours.scheme, netloc=ours.netloc, fragment="").geturl()
        if joined == url:
            raise BadAnswer("Sift's link to the next page leads to the same page.")
        return joined

    def _get(self, url: str) -> JSON:
        """Return the decoded answer to a GET, retried where that can help."""
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
    """Return the error that an answer's status code means; None for 2xx."""
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
        wait = f" and asks to wait {retry_after.total_seconds():.0f} s" if retry_after else ""
        return Unreachable(f"Sift answered {status}{wait}: {words}", retry_after)
    if status in (401, 403):
        return WrongCredentials(status, words)
    return ConnectionNotFound(status, words) if status == 404 else Refused(status, words)


def _target(response: requests.Response) -> str:
    """Return the target of a redirect, without secrets."""
    try:
        return address(urljoin(response.url, response.headers.get("Location", "")))
    except ValueError:
        return "an address that cannot be read"


def _placed(body: bytes) -> Placed | Unknown:
    """Return what a 2xx answer to a create holds: the call, only its id, or nothing."""
    if not body.strip():
        return Placed()
    try:
        decoded = decode(body)
    except ValueError:
        return Unknown("Sift's answer is not JSON, or was cut short.")
    if decoded == {}:
        return Placed()
    row = decoded["connection"] if isinstance(decoded, dict) and "connection" in decoded else decoded
    match parse_connection(row):
        case Observation() as observation:
            return Placed(observation.connection_id, observation)
        case Unusable(connection_id=str() as connection_id):
            return Placed(connection_id)
    return Unknown("Sift's answer does not say which call it made.")


def _accepted(body: bytes) -> Accepted | Unknown:
    return Accepted()


def _wait_seconds(attempt: int, retry_after: timedelta | None) -> float:
    """Return `retry_after`, or a wait that doubles from half a second; random, so that clients spread out."""
    if retry_after is not None:
        return retry_after.total_seconds() + random.uniform(0, 0.5)  # noqa: S311
    return 2.0 ** (attempt - 2) * random.uniform(0.5, 1.5)  # noqa: S311


def _retry_after(header: str) -> timedelta | None:
    """Return the wait that the header gives in seconds or as a date; None if absent, invalid or past."""
    if re.fullmatch(r"\d{1,6}", header.strip(), re.ASCII):
        return timedelta(seconds=int(header))
    try:
        wait = parsedate_to_datetime(header).astimezone(UTC) - datetime.now(UTC)
    except (ValueError, OverflowError):
        return None
    return wait if timedelta() < wait < timedelta(days=10) else None


def _is_within(url: str, base: str) -> bool:
    """Return True if `url` has the origin of `base` and a path below it. Raises ValueError if not a URL."""
    inner, outer = urlsplit(url), urlsplit(base)
    path = unquote(inner.path)
    return (
        _origin(inner) == _origin(outer)
        and path.startswith(f"{unquote(outer.path)}/")
        and not {".", ".."} & set(path.split("/"))
    )


def _origin(url: SplitResult) -> tuple[str, str | None, int | None, bool]:
    """Return scheme, host, port, and True if a user name or password comes before the host."""
    port = DEFAULT_PORTS.get(url.scheme) if url.port is None else url.port
    return url.scheme, url.hostname, port, "@" in url.netloc
