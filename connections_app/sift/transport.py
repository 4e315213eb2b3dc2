"""Send one request to Sift and read the whole answer, within limits of size and time.

The type of an exception does not show whether the request has left: a rejected certificate and a server that
reads the whole request and then disconnects raise the same `SSLError`. So the connection itself records it.
"""

import http.client
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from requests.utils import get_environ_proxies
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, DecodeError, NewConnectionError

from connections_app.sift.errors import (
    BadAnswer,
    BadCertificate,
    NoConnection,
    NotSent,
    SiftError,
    Unreachable,
)

CONNECT_SECONDS = 5.0
WHOLE_ANSWER_SECONDS = 60.0
LARGEST_BODY_BYTES = 16 * 1024 * 1024
CHUNK_BYTES = 256 * 1024
NO_CONTENT = 204
# http.client raises a plain OSError with this message if a proxy refuses CONNECT.
NO_TUNNEL = "Tunnel connection failed: "
TIME_OUTS = (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError)


class Departure:
    """Records whether one request has left, and decides whether it still may.

    `leave` is called when the connection is open, with TLS and through any proxy, right before the first
    byte of the request is written. A failure recorded before that has sent Sift nothing; a failure that was
    not recorded may have happened at any time.
    """

    def __init__(self, seconds: float) -> None:
        """Allow the request to leave within `seconds` from now."""
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._is_watched = self._is_cancelled = self._has_left = self._has_failed_before = False

    def watch(self) -> None:
        """Record that from now on the request cannot leave without a call of `leave`."""
        self._is_watched = True

    def leave(self) -> None:
        """Record that the request leaves now. Raises `NotSent` if it was cancelled or it is too late."""
        with self._lock:
            if self._is_cancelled or time.monotonic() >= self._until:
                raise NotSent(self.too_late)
            self._has_left = True

    def cancel(self) -> bool:
        """Prevent the request from leaving. Returns True if it has certainly not left yet."""
        with self._lock:
            self._is_cancelled = True
            return self._is_watched and not self._has_left

    @contextmanager
    def before(self) -> Iterator[None]:
        """Record an exception raised inside as one that prevented the request from leaving."""
        try:
            yield
        except BaseException:
            self._has_failed_before = True
            raise

    @property
    def is_prevented(self) -> bool:
        """Return True if a recorded failure prevented the request from leaving."""
        return self._has_failed_before and not self._has_left

    @property
    def too_late(self) -> str:
        """Return the message for a request that did not leave in time."""
        return f"No connection to Sift was made within {self._seconds:g} s."


def new_session(
    url: str, account_id: str, auth_token: str, departure: Departure | None = None
) -> requests.Session:
    """Return a session that reads the proxies from the environment once, not at each request.

    With a `departure` it is for one request, which is recorded there.
    """
    session = requests.Session()
    session.auth = HTTPBasicAuth(account_id.encode(), auth_token.encode())
    session.headers.update({"Accept": "application/json", "User-Agent": "sift-dashboard"})
    session.proxies = get_environ_proxies(url, no_proxy=None)
    session.verify = session.merge_environment_settings(url, {}, None, None, None)["verify"]
    session.trust_env = False
    adapter = _ObservingAdapter(departure) if departure else HTTPAdapter(pool_maxsize=8, max_retries=0)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def exchange(
    send: Callable[[], requests.Response], url: str, seconds: float, departure: Departure | None = None
) -> tuple[requests.Response, bytes]:
    """Send, and read the whole body within limits of size and time.

    `seconds` is how long `send` waits for each part of the answer; `url` is the API's address for messages.
    Raises only `SiftError`; with a `departure`, `NotSent` only if no part of the request has left.
    """
    try:
        with send() as response:
            return response, _read(response)
    except SiftError:
        raise
    except Exception as error:
        causes = list(_causes(error))
        is_before = departure.is_prevented if departure else _is_of_connecting(causes)
        failure = _not_sent(causes, url) if is_before else _broken_off(causes, seconds)
        raise failure from error


def address(url: str) -> str:
    """Return scheme, host and path of `url`, which hold no secret."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


class _ObservingAdapter(HTTPAdapter):
    """An adapter for one request, whose connections record when it leaves."""

    def __init__(self, departure: Departure) -> None:
        self.departure = departure
        super().__init__(max_retries=0)

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
        with self.departure.before():
            pool: Any = super().get_connection_with_tls_context(*arguments, **options)
        pool.ConnectionCls = _observing(pool.ConnectionCls, self.departure)
        self.departure.watch()
        return pool

    def cert_verify(self, *arguments: Any, **options: Any) -> None:
        try:
            super().cert_verify(*arguments, **options)  # type: ignore[no-untyped-call] # so in its stubs
        except OSError as error:  # the file of trusted certificates is missing
            raise NotSent(f"{error}.") from error


def _observing(connection_class: Any, departure: Departure) -> type[HTTPConnection]:
    """Return a subclass of `connection_class` that records on `departure` what it does."""

    class Observing(connection_class):  # type: ignore[misc] # known at run time only
        def connect(self) -> None:
            with departure.before():
                super().connect()

        def endheaders(self, *arguments: Any, **options: Any) -> None:
            """Write the first bytes; over plain HTTP, connect first."""
            if self.sock is None:
                self.connect()
            departure.leave()
            super().endheaders(*arguments, **options)

    return Observing


def _read(response: requests.Response) -> bytes:
    """Return the body. Raises `BadAnswer` if it is too large, `Unreachable` if it takes too long."""
    deadline = time.monotonic() + WHOLE_ANSWER_SECONDS
    chunks, size = [], 0
    for chunk in response.iter_content(CHUNK_BYTES):
        chunks.append(chunk)
        size += len(chunk)
        if size > LARGEST_BODY_BYTES:
            raise BadAnswer(f"Sift's answer is larger than {LARGEST_BODY_BYTES // 1024**2} MB.")
        if time.monotonic() > deadline:
            raise Unreachable(f"Sift's answer was not complete after {WHOLE_ANSWER_SECONDS:g} s.")
    if not size and _may_be_cut(response):
        raise Unreachable("Sift's answer was cut short.")
    return b"".join(chunks)


def _may_be_cut(response: requests.Response) -> bool:
    """Return True if an empty answer may have been cut short, as no header states its length."""
    states_length = response.headers.keys() & {"content-length", "transfer-encoding"}
    return 200 <= response.status_code < 300 and response.status_code != NO_CONTENT and not states_length


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and all that it wraps: requests and urllib3 keep the cause in different places."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]


def _is_of_connecting(causes: list[BaseException]) -> bool:
    """Return True if the type of an exception shows that no connection was made. Enough for a GET."""
    kinds = (ConnectTimeoutError, NewConnectionError, ssl.SSLCertVerificationError)
    return _first(causes, *kinds) is not None


def _not_sent(causes: list[BaseException], url: str) -> SiftError:
    """Return the error for a request that cannot have left."""
    through = " through the proxy" if _first(causes, urllib3.exceptions.ProxyError) else ""
    words = [one.args[0] for one in causes if isinstance(one, OSError) and one.args]
    tunnel = next((str(one) for one in words if isinstance(one, str) and one.startswith(NO_TUNNEL)), "")
    if certificate := _first(causes, ssl.SSLCertVerificationError):
        whose = "The certificate of the proxy on the way to Sift" if through else "Sift's certificate"
        why = str(getattr(certificate, "verify_message", "") or "").rstrip(".")
        return BadCertificate(f"{whose} could not be verified{f' ({why})' if why else ''}.")
    if tunnel:
        return NoConnection(f"The proxy made no connection to Sift ({tunnel.removeprefix(NO_TUNNEL)}).")
    if _first(causes, NewConnectionError):
        return NoConnection(f"No connection to Sift at {address(url)}{through}.")
    if _first(causes, *TIME_OUTS):
        return NoConnection(f"Sift did not take the connection within {CONNECT_SECONDS:g} s.")
    if broken := _first(causes, ssl.SSLError):
        return NoConnection(f"No secure connection to Sift at {address(url)}{_reason(broken)}.")
    if isinstance(causes[0], requests.exceptions.ConnectionError):
        return NoConnection(f"No connection to Sift at {address(url)}{through}.")
    return NotSent(f"Sift could not be asked ({type(causes[0]).__name__}).")


def _broken_off(causes: list[BaseException], seconds: float) -> SiftError:
    """Return the error for a request that may have left, and whose answer did not arrive completely."""
    if _first(causes, *TIME_OUTS):
        return Unreachable(f"Sift did not answer within {seconds:g} s.")
    if broken := _first(causes, ssl.SSLError) or _first(causes, requests.exceptions.SSLError):
        return Unreachable(f"The secure connection to Sift broke off{_reason(broken)}.")
    if _first(causes, DecodeError, requests.exceptions.ContentDecodingError):
        return Unreachable("Sift's answer is damaged: it could not be unpacked.")
    if _first(causes, requests.exceptions.ChunkedEncodingError, http.client.IncompleteRead):
        return Unreachable("Sift's answer was cut short.")
    if _first(causes, requests.exceptions.ConnectionError, urllib3.exceptions.ProtocolError):
        return Unreachable("Sift ended the connection without an answer.")
    return BadAnswer(f"The exchange with Sift failed ({type(causes[0]).__name__}).")


def _first(causes: list[BaseException], *kinds: type[BaseException]) -> BaseException | None:
    return next((one for one in causes if isinstance(one, kinds)), None)


def _reason(error: BaseException) -> str:
    """Return OpenSSL's reason in brackets: ` (wrong version number)`; empty if it gives none."""
    reason = getattr(error, "reason", None)
    return f" ({reason.replace('_', ' ').lower()})" if isinstance(reason, str) else ""
