"""Ingest new calls while a bench runs."""

import os
import time
from datetime import UTC, datetime, timedelta

from bench._web import close, prepare

ROWS_A_SECOND = 5_000


def new_call(number: int) -> dict[str, str]:
    """Return a call that has just finished, with an id and a number as varied as real ones."""
    drawn = f"{hash((number, 'new')) & 0xFFFFFFFFFFFFFFFF:016x}"
    ended = datetime.now(UTC)
    return {
        "connection_id": drawn,
        "status": "finished",
        "direction": "incoming",
        "start_time": (ended - timedelta(seconds=60)).isoformat(),
        "end_time": ended.isoformat(),
        "from": "+14155550001",
        "to": f"+1{2_000_000_000 + int(drawn, 16) % 7_000_000_000}",
    }


def take_in(seconds: float) -> None:
    """Ingest ROWS_A_SECOND new calls for `seconds`, in batches of 500, and print the rate reached."""
    prepare(dict(os.environ))
    from connections_app.calls.ingest import ingest
    from connections_app.models import Source
    from connections_app.sift.payloads import Observation, parse_connection

    began, taken = time.monotonic(), 0
    while (elapsed := time.monotonic() - began) < seconds:
        if taken < elapsed * ROWS_A_SECOND:
            parsed = (parse_connection(new_call(taken + n)) for n in range(500))
            ingest([one for one in parsed if isinstance(one, Observation)], Source.LIST)
            taken += 500
        else:
            time.sleep(0.01)
    print(taken / (time.monotonic() - began))
    close()
