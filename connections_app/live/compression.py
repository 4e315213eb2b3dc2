"""Compress what is sent once, for all of its readers.

A piece that is compressed by itself, and ends with a full flush, refers to nothing before it: the same bytes
fit at any place of any reader's gzip stream (RFC 1951, RFC 1952).
"""

import struct
import zlib
from dataclasses import dataclass, field
from typing import Protocol, Self

HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
LAST_BLOCK = b"\x03\x00"
LEVEL = 5


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes, as they are and compressed; pieces are joined by `+`."""

    plain: bytes = b""
    packed: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, plain: bytes) -> Self:
        """Return `plain` as a piece, compressed by itself."""
        packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        return cls(plain, packer.compress(plain) + packer.flush(zlib.Z_FULL_FLUSH))

    def __add__(self, following: "Piece") -> "Piece":
        return Piece(self.plain + following.plain, self.packed + following.packed)


class Encoding(Protocol):
    """The encoding of one reader's stream."""

    headers: list[tuple[bytes, bytes]]

    def encode(self, piece: Piece) -> bytes:
        """Return the bytes to send for `piece`."""

    def end(self) -> bytes:
        """Return the bytes to send after the last piece."""


class Plain:
    """No compression."""

    headers: list[tuple[bytes, bytes]] = []

    def encode(self, piece: Piece) -> bytes:
        return piece.plain

    def end(self) -> bytes:
        return b""


class Gzip:
    """A gzip stream: a header, the pieces, and their checksum."""

    headers: list[tuple[bytes, bytes]] = [(b"content-encoding", b"gzip")]

    def __init__(self) -> None:
        self.checksum = self.size = 0
        self.is_begun = False

    def encode(self, piece: Piece) -> bytes:
        head, self.is_begun = b"" if self.is_begun else HEAD, True
        self.checksum = zlib.crc32(piece.plain, self.checksum)
        self.size += len(piece.plain)
        return head + piece.packed

    def end(self) -> bytes:
        return self.encode(Piece()) + LAST_BLOCK + struct.pack("<II", self.checksum, self.size & 0xFFFFFFFF)
