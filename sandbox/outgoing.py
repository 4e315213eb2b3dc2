"""The sandbox's own requests: a JSON body by POST, one connection each, no redirects followed."""

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httptools

PATIENCE_SECONDS = 5.0
LONGEST_ANSWER = 1024 * 1024


@dataclass
class Reply:
    """What was answered, as httptools tells it."""

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
        self.parser.feed_data(part)
        self.status = self.parser.get_status_code()
        if len(self.body) > LONGEST_ANSWER:
            raise OSError("the answer is too long")


async def post(url: str, body: bytes) -> Reply:
    """Raises OSError or TimeoutError when no whole answer came within PATIENCE_SECONDS."""
    try:
        return await asyncio.wait_for(_exchange(urlsplit(url), body), PATIENCE_SECONDS)
    except TimeoutError:
        raise TimeoutError(f"no answer within {PATIENCE_SECONDS:g} s") from None
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
