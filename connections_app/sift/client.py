"""Ask the Sift API: the one way out to Sift."""

import logging
import random
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from copy import copy
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urljoin, urlsplit

import requests
import urllib3
from django.conf import settings
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from requests.utils import get_environ_proxies

from connections_app.sift.errors import (
    BadAnswer,
    BadCertificate,
    NoConnection,
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

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0
HASTY_SECONDS = 5.0
WHOLE_ANSWER_SECONDS = 60.0
# How long a person waits for the answer to a POST, and how long it may still tell the outcome.
POST_SECONDS = 10.0
LATE_SECONDS = 60.0
REQUEST_TIMEOUT, TOO_MANY_REQUESTS = 408, 429
LARGEST_BODY = 16 * 1024 * 1024
CHUNK = 256 * 1024
ATTEMPTS = 4
LONGEST_WAIT_SECONDS = 20.0


T = TypeVar("T")
# Told what Sift said after it was no longer waited for.
Late = Callable[[T | Rejected | Unknown], None]


class SiftClient:
    """One account of the Sift API at `url` (no slash at its end), over pooled connections.

    GETs that fail for a passing reason (no connection, a cut body, 429, 5xx) are tried up to four times,
    with growing waits and as `Retry-After` asks. `stop`, once set, cuts a wait short. Threads may share one.
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
    ) -> None:
        self.url = url
        self.attempts = attempts
        self.read_seconds = read_seconds
        self.stop = stop or threading.Event()
        self.credentials = account_id, auth_token
        self.session = _session(url, account_id, auth_token)

    @classmethod
    def configured(cls, stop: threading.Event | None = None) -> "SiftClient":
        """A client for the account in the settings."""
        return cls(settings.SIFT_API_URL, settings.SIFT_ACCOUNT_ID, settings.SIFT_AUTH_TOKEN, stop=stop)

    @property
    def list_url(self) -> str:
        return f"{self.url}/connections"

    def list_page(self, url: str) -> Page:
        """The page at `url` (`list_url` is the first). Sift: "List Connections".

        Raises `Refused` for a cursor that Sift does not take, and the other errors of `sift.errors`.
        """
        answer = self._get(url)
        if not isinstance(answer, dict) or not isinstance(answer.get("results"), list):
            raise BadAnswer("Sift's answer is not a page of a list: it has no “results”.")
        observations, unusable = parse_rows(answer["results"])
        return Page(url, self._next(url, answer.get("next")), observations, unusable)

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
        """POST in a thread of its own and wait for that: a socket's time-out does not limit the whole."""
        asked: Future[T | Rejected | Unknown] = Future()

        def ask() -> None:
            try:
                asked.set_result(self._post(url, body, read))
            except BaseException as error:
                asked.set_exception(error)

        threading.Thread(target=ask, name="sift-post", daemon=True).start()
        try:
            return asked.result(POST_SECONDS)
        except TimeoutError:
            if late:
                asked.add_done_callback(lambda done: late(done.result()))
            return Unknown(f"Sift did not answer within {POST_SECONDS:g} s.")

    def _post(self, url: str, body: JSON, read: Callable[[bytes], T | Unknown]) -> T | Rejected | Unknown:
        # A session of its own: a kept connection may have died unseen, and a POST cannot be tried again.
        with _session(self.url, *self.credentials) as session:
            limits = self._transport() | {"timeout": (CONNECT_SECONDS, LATE_SECONDS)}
            try:
                response, answer = self._exchange(lambda: session.post(url, json=body, **limits))
            except NotSent as error:
                return Rejected(f"{error} Nothing was sent.")
            except SiftError as error:
                return Unknown(str(error))
        problem = error_in(response, answer)
        if isinstance(problem, Refused) and problem.status != REQUEST_TIMEOUT:
            return Rejected(problem.reason, problem.status)
        if response.status_code == TOO_MANY_REQUESTS:
            return Rejected(str(problem), TOO_MANY_REQUESTS)
        return Unknown(str(problem)) if problem else read(answer)

    def hasty(self) -> "SiftClient":
        """The same client, but one that asks once and waits for an answer for five seconds only."""
        hasty = copy(self)
        hasty.attempts, hasty.read_seconds = 1, HASTY_SECONDS
        return hasty

    def relative(self, url: str) -> str:
        """`url` without the API's own address, as it is stored."""
        return url.removeprefix(self.url)

    def absolute(self, stored: str) -> str:
        return self.url + stored

    def close(self) -> None:
        self.session.close()

    def _next(self, url: str, following: JSON) -> str | None:
        """The next page's URL. Raises `BadAnswer` when it leads out of the API's origin and path."""
        if following is None or following == "":
            return None
        if not isinstance(following, str):
            raise BadAnswer("Sift's link to the next page is not a text.")
        joined = urljoin(url, following)
        if not _is_within(joined, self.url):
            raise BadAnswer(
                f"Sift's link to the next page leads to {_address(joined)}, outside SIFT_API_URL; "
                "it was not followed."
            )
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
        response, body = self._exchange(lambda: self.session.get(url, **self._transport()))
        if error := error_in(response, body):
            raise error
        try:
            return decode(body)
        except ValueError:
            raise Unreachable("Sift's answer is not JSON.") from None

    def _transport(self) -> dict[str, Any]:
        return {"timeout": (CONNECT_SECONDS, self.read_seconds), "allow_redirects": False, "stream": True}

    def _exchange(self, send: Callable[[], requests.Response]) -> tuple[requests.Response, bytes]:
        """Send, and read the whole body within limits of size and time."""
        try:
            with send() as response:
                return response, _read(response)
        except requests.exceptions.ConnectTimeout as error:
            raise NoConnection(f"Sift did not take the connection within {CONNECT_SECONDS:g} s.") from error
        except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError) as error:
            raise Unreachable(f"Sift did not answer within {self.read_seconds:g} s.") from error
        except requests.exceptions.SSLError as error:
            raise BadCertificate("Sift's certificate could not be verified.") from error
        except requests.exceptions.ChunkedEncodingError as error:
            raise Unreachable("Sift's answer was cut short.") from error
        except requests.exceptions.ConnectionError as error:
            if _never_connected(error):
                raise NoConnection(f"No connection to Sift at {_address(self.url)}.") from error
            raise Unreachable("Sift ended the connection without an answer.") from error
        except requests.exceptions.RequestException as error:
            raise BadAnswer(f"Sift could not be asked: {type(error).__name__}.") from error


def _never_connected(error: requests.exceptions.ConnectionError) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), urllib3.exceptions.NewConnectionError)


def error_in(response: requests.Response, body: bytes) -> SiftError | None:
    """The error that an answer stands for, by its status code; None for 2xx."""
    status = response.status_code
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        target = _address(urljoin(response.url, response.headers.get("Location", "")))
        return Redirected(
            f"Sift redirects to {target}; redirects are not followed. "
            "Set SIFT_API_URL to the address that the API has now."
        )
    words = error_words(body)
    if status == 429 or status >= 500:
        retry_after = _retry_after(response.headers.get("Retry-After", ""))
        asked = f" and asks to wait {retry_after.total_seconds():.0f} s" if retry_after else ""
        return Unreachable(f"Sift answered {status}{asked}: {words}", retry_after)
    if status in (401, 403):
        return WrongCredentials(status, words)
    return NotKnown(status, words) if status == 404 else Refused(status, words)


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


def _session(url: str, account_id: str, auth_token: str) -> requests.Session:
    """A session that asks the environment for proxies once, not at each request."""
    session = requests.Session()
    session.auth = HTTPBasicAuth(account_id.encode(), auth_token.encode())
    session.headers.update({"Accept": "application/json", "User-Agent": "sift-dashboard"})
    session.proxies = get_environ_proxies(url, no_proxy=None)
    session.verify = session.merge_environment_settings(url, {}, None, None, None)["verify"]
    session.trust_env = False
    adapter = HTTPAdapter(pool_maxsize=8, max_retries=0)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _read(response: requests.Response) -> bytes:
    """The body. Raises `BadAnswer` over the largest size, `Unreachable` when it drips for too long."""
    deadline = time.monotonic() + WHOLE_ANSWER_SECONDS
    chunks, size = [], 0
    for chunk in response.iter_content(CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > LARGEST_BODY:
            raise BadAnswer(f"Sift's answer is larger than {LARGEST_BODY // 1024**2} MB.")
        if time.monotonic() > deadline:
            raise Unreachable(f"Sift's answer was not complete after {WHOLE_ANSWER_SECONDS:g} s.")
    return b"".join(chunks)


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
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    wait = until.astimezone(UTC) - datetime.now(UTC)
    return wait if timedelta() < wait < timedelta(days=10) else None


def _is_within(url: str, base: str) -> bool:
    inner, outer = urlsplit(url), urlsplit(base)
    path = unquote(inner.path)
    return (
        (inner.scheme, inner.netloc) == (outer.scheme, outer.netloc)
        and path.startswith(f"{unquote(outer.path)}/")
        and not {".", ".."} & set(path.split("/"))
    )


def _address(url: str) -> str:
    """Scheme, host and path of `url`: what can be shown without showing a secret."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"
