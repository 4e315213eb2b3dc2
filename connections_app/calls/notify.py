"""Notify every web process of changed calls, after the commit.

An announcement carries no content: its receivers read the database. A lost one delays the pages by a few
seconds at most, since they are also compared with the database every three.
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
    """Return the Valkey channel of this database's announcements."""
    return f"sift:{database.settings_dict['NAME']}:changed"


def announce(calls: Iterable[int] = ()) -> None:
    """Announce, after the commit, changes of the calls with these keys; without keys, of the sync's state.

    Never raises, and waits a quarter of a second at the most.
    """
    keys = ",".join(map(str, calls))
    transaction.on_commit(partial(_publish, channel(), keys))


def _publish(channel_name: str, keys: str) -> None:
    if valkey.server.is_open:
        return
    try:
        valkey.publisher().publish(channel_name, keys)
    except redis.RedisError as problem:
        valkey.server.suspect()
        logger.warning("A change was not announced: Valkey does not answer (%s)", type(problem).__name__)
