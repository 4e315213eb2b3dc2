"""The URL of Celery's broker, and a check that the broker accepts it."""

from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from celery import Celery
from kombu.exceptions import OperationalError
from redis import AuthenticationError, RedisError, ResponseError
from redis.connection import parse_url
from redis.exceptions import AuthorizationError

TIMEOUT_SECONDS = 0.5  # enough for a broker on another machine; a frozen one does not delay a page
REFUSALS = (AuthenticationError, AuthorizationError, ResponseError)


def broker_url(redis_url: str) -> str:
    """Return `redis_url`, which redis-py reads, in the form that kombu reads.

    There, a Unix socket has its own scheme, and its database in `virtual_host`; over TCP the database is the
    path, and TLS checks certificates only if the URL requires it. Raises `ValueError` for an invalid URL.
    """
    given = parse_url(redis_url)  # type: ignore[no-untyped-call]  # redis-py does not annotate it
    credentials = _credentials(given)
    database = given.get("db", 0)
    if redis_url.startswith("unix://"):
        return f"redis+socket://{credentials}{quote(given['path'])}?virtual_host={database}"
    parts = urlsplit(redis_url)
    host = parts.hostname or "localhost"
    address = f"[{host}]" if ":" in host else host
    tls = {name: value for name, value in parse_qsl(parts.query) if name.startswith("ssl_")}
    if parts.scheme == "rediss":
        tls = {"ssl_cert_reqs": "required"} | tls
    query = f"?{urlencode(tls)}" if tls else ""
    return f"{parts.scheme}://{credentials}{address}:{parts.port or 6379}/{database}{query}"


def broker_problem(app: Celery) -> Exception | None:
    """Return why the broker cannot be used, or None. Takes a second at most."""
    limits = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
    options = {**(app.conf.broker_transport_options or {}), **limits}
    try:
        with app.connection_for_write(transport_options=options) as connection:
            channel: Any = connection.channel()  # kombu pings the server here
            channel.close()
    except OperationalError as problem:
        cause = problem.__cause__
        return cause if isinstance(cause, Exception) else problem
    except (RedisError, OSError) as problem:
        return problem
    return None


def is_refusal(problem: Exception) -> bool:
    """Return True if the broker answers and refuses us, so that a retry cannot help."""
    return isinstance(problem, REFUSALS)


def _credentials(given: dict[str, Any]) -> str:
    """Return `user:password@` with each part percent-encoded, or nothing."""
    user, password = given.get("username"), given.get("password")
    if not user and not password:
        return ""
    return f"{quote(user or '', safe='')}{':' + quote(password, safe='') if password else ''}@"
