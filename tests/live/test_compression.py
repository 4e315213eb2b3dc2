"""What is sent is compressed once, and fits into the stream of whoever reads it."""

import gzip
import zlib

import pytest

from connections_app.live.compression import Gzip, Piece, Plain
from connections_app.live.events import GZIP

PIECES = [Piece.of(f"event: calls\ndata: {n * 'row'}\n\n".encode()) for n in range(1, 40)]


def test_each_reader_has_one_stream_of_the_same_pieces() -> None:
    for pieces in (PIECES, PIECES[7:], PIECES[20:] + PIECES[:3], PIECES[:1] * 5):
        stream = Gzip()
        sent = b"".join(map(stream.encode, pieces)) + stream.end()
        assert gzip.decompress(sent) == b"".join(piece.plain for piece in pieces)


def test_every_piece_can_be_read_as_soon_as_it_is_there() -> None:
    stream, reader = Gzip(), zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    for piece in PIECES:
        assert reader.decompress(stream.encode(piece)) == piece.plain


def test_pieces_are_joined() -> None:
    joined = PIECES[3] + PIECES[0]
    stream = Gzip()
    assert gzip.decompress(stream.encode(joined) + stream.end()) == joined.plain
    assert Plain().encode(joined) == PIECES[3].plain + PIECES[0].plain


def test_a_stream_that_sent_nothing_is_complete_too() -> None:
    stream = Gzip()
    assert gzip.decompress(stream.encode(Piece()) + stream.end()) == b""


@pytest.mark.parametrize(
    ("accepts", "takes"),
    [
        (b"gzip, deflate, br", True),
        (b"br;q=1.0, gzip;q=0.8", True),
        (b"gzip;q=0.001", True),
        (b"identity", False),
        (b"gzip;q=0", False),
        (b"gzip; q=0.0, br", False),
        (b"", False),
    ],
)
def test_gzip_is_for_who_takes_it(accepts: bytes, takes: bool) -> None:
    assert bool(GZIP.search(accepts)) is takes
