"""Tell every web process which calls have changed, once that is committed.

An announcement only wakes: who hears it reads the database. One that is lost costs a few seconds, since what
is shown is also compared with the database every three.
"""

import logging
from collections.abc import Iterable
from functools import partial

import redis
from django.db import connection as database
from django.db import transaction

from connections_app.engines import valkey

logger = logging.getLogger(__name__)


def channel() -> str:
    """The Valkey channel of this database's announcements."""
    return f"sift:{database.settings_dict['NAME']}:changed"


def announce(calls: Iterable[int] = ()) -> None:
    """Announce the calls with these keys as changed, after the transaction that is open; without any, that
    the sync's state changed. Never raises, and waits a quarter of a second at the most."""
    keys = ",".join(map(str, calls))
    transaction.on_commit(partial(_publish, channel(), keys))


def _publish(where: str, keys: str) -> None:
    if valkey.server.is_open:
        return
    try:
        valkey.publisher().publish(where, keys)
    except redis.RedisError as problem:
        valkey.server.suspect()
        logger.warning("A change was not announced: Valkey does not answer (%s)", type(problem).__name__)
