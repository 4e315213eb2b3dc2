"""Scripts claimed for an answer that Sift never received: the callback timed out, or its COMMIT hung.

One that dials is never sent again, since Sift may have received it; any other one is in force again. The list
is in memory: if a web process is killed before the database answers again, such a script stays claimed.
"""

from threading import Thread
from time import sleep

from django.db import InterfaceError, OperationalError, transaction
from django.db import connection as database

from connections_app.hooks.received import UNAVAILABLE, Answered, Received
from connections_app.models import Script

RETRY_PAUSE = 0.5  # seconds, while the database does not answer
NOT_ANSWERED = Answered.refusing(UNAVAILABLE, "The answer was not sent in time.")
PERHAPS_DIALLED = Answered.refusing(
    UNAVAILABLE,
    "The answer was not sent in time. Whether its script runs is unknown; it dials, so it is not repeated.",
)
# A script that was claimed again in the meantime stays as it is.
RELEASE_CLAIM = """
    UPDATE connections_app_script
    SET settled_at = NULL, offered_at = CASE WHEN %(is_first)s THEN NULL ELSE offered_at END
    WHERE id = %(script)s AND NOT dials AND origin = 'placed' AND superseded_by_id IS NULL
        AND settled_at IS NOT DISTINCT FROM %(settled_at)s
"""
SETTLE_CLAIM = """
    UPDATE connections_app_script SET
        settled_at = coalesce(settled_at, clock_timestamp()),
        offered_at = coalesce(offered_at, clock_timestamp())
    WHERE id = %(script)s AND dials
"""


def note(received: Received) -> None:
    """Count the script that `received` claimed as undelivered, in a thread, once the database answers."""
    Thread(target=_settle_with_retries, args=(received,), daemon=True, name="undelivered script").start()


def settle(received: Received) -> None:
    """Record that the callback was not answered, and put its script in force again unless it dials."""
    claimed = received.claimed
    with transaction.atomic(), database.cursor() as cursor:
        # This waits for a COMMIT that the server may still carry out.
        received.keep_other_answer(NOT_ANSWERED)
        if claimed.script is None:
            return
        dials = Script.objects.filter(pk=claimed.script, dials=True).exists()
        if dials:
            received.keep_other_answer(PERHAPS_DIALLED)
        values = {"script": claimed.script, "settled_at": claimed.settled_at, "is_first": claimed.is_first}
        cursor.execute(SETTLE_CLAIM if dials else RELEASE_CLAIM, values)


def _settle_with_retries(received: Received) -> None:
    while not _is_settled(received):
        sleep(RETRY_PAUSE)


def _is_settled(received: Received) -> bool:
    try:
        settle(received)
    except (OperationalError, InterfaceError):
        return False  # the circuit breaker already reports that the database does not answer
    finally:
        database.close()
    return True
