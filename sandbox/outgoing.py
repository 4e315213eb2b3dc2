"""Send the sandbox's own requests: JSON by POST, one connection each, without following redirects."""

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httptools

TIMEOUT_SECONDS = 5.0
LONGEST_ANSWER = 1024 * 1024  # bytes


@dataclass
class Reply:
    """An answer, filled in by the callbacks of the httptools parser."""

    status: int = 0
    body: bytes = b""
    complete: bool = False
    parser: Any = field(init=False)

    def __post_init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        self.complete = True

    def feed(self, part: bytes) -> None:
        """Parse the next bytes. Raises `OSError` if the answer is too long."""
        self.parser.feed_data(part)
        self.status = self.parser.get_status_code()
        if len(self.body) > LONGEST_ANSWER:
            raise OSError("the answer is too long")


async def post(url: str, body: bytes) -> Reply:
    """Send a request. Raises `OSError` or `TimeoutError` without a complete answer in TIMEOUT_SECONDS."""
    try:
        return await asyncio.wait_for(_exchange(urlsplit(url), body), TIMEOUT_SECONDS)
    except TimeoutError:
        raise TimeoutError(f"no answer within {TIMEOUT_SECONDS:g} s") from None
    except (httptools.HttpParserError, ValueError) as problem:
        raise OSError(f"not HTTP: {problem}") from problem


async def _exchange(url: SplitResult, body: bytes) -> Reply:
    secure = url.scheme == "https"
    port = url.port or (443 if secure else 80)
    context = ssl.create_default_context() if secure else None
    reader, writer = await asyncio.open_connection(url.hostname, port, ssl=context)
    try:
        writer.write(_head(url, len(body)) + body)
        return await _read(reader)
    finally:
        writer.close()


def _head(url: SplitResult, length: int) -> bytes:
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    lines = (
        f"POST {target} HTTP/1.1",
        f"Host: {url.netloc.rpartition('@')[2]}",
        "User-Agent: sift-sandbox",
        "Content-Type: application/json",
        f"Content-Length: {length}",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode()


async def _read(reader: asyncio.StreamReader) -> Reply:
    reply = Reply()
    while not reply.complete:
        part = await reader.read(65536)
        if not part:
            break
        reply.feed(part)
    if not reply.status:
        raise ConnectionResetError("the connection was closed without an answer")
    return reply
