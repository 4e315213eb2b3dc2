"""A file of ours as it is fetched over HTTP: whole, or from where a download was cut off."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from connections_app.history.exports import copying

# Read and handed on at once.
CHUNK = 256 * 1024
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
PARTIAL, UNSATISFIABLE = 206, 416


@dataclass(frozen=True, slots=True)
class Part:
    """The octets from `first` up to, and without, `end`."""

    first: int
    end: int

    @classmethod
    def asked(cls, header: str, length: int) -> Self | None:
        """The one part that a Range header names; None for what is no such, which is then the whole file.

        Raises `ValueError` where the file, `length` long, has no such part.
        """
        written = RANGE.fullmatch(header.strip())
        if written is None or not any(written.groups()):
            return None
        first, last = written.groups()
        if first and last and int(first) > int(last):
            return None
        start = int(first) if first else max(0, length - int(last))
        end = min(int(last) + 1, length) if first and last else length
        if start >= end:
            raise ValueError(header)
        return cls(start, end)


def answer(request: HttpRequest, path: Path, tag: str, headers: dict[str, str]) -> HttpResponseBase:
    """The file at `path`, or the part of it that is asked for. `tag` names its contents, which never change.

    Raises `FileNotFoundError`.
    """
    length = path.stat().st_size
    # "identity" keeps it from being packed on its way: parts are counted in octets of the file.
    headers = {"Accept-Ranges": "bytes", "ETag": f'"{tag}"', "Content-Encoding": "identity"} | headers
    part = None
    if request.headers.get("If-Range", headers["ETag"]) == headers["ETag"]:
        try:
            part = Part.asked(request.headers.get("Range", ""), length)
        except ValueError:
            told = {"Content-Range": f"bytes */{length}", "Accept-Ranges": "bytes"}
            return HttpResponse(status=UNSATISFIABLE, headers=told)
    whole = part or Part(0, length)
    sent = StreamingHttpResponse(_octets(path.open("rb"), whole), headers=headers)
    sent.headers["Content-Length"] = str(whole.end - whole.first)
    if part:
        sent.status_code = PARTIAL
        sent.headers["Content-Range"] = f"bytes {part.first}-{part.end - 1}/{length}"
    return sent


async def _octets(file: BinaryIO, part: Part) -> AsyncIterator[bytes]:
    with file:
        await copying.let_go()
        file.seek(part.first)
        left = part.end - part.first
        while left and (octets := await asyncio.to_thread(file.read, min(CHUNK, left))):
            left -= len(octets)
            yield octets
