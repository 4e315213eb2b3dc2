"""Compare the sandbox's log with the database after the faults."""

import json
from collections import Counter
from typing import Any

import psycopg
import requests

from launch.fault_load import wait_for

LIST_SECONDS = 60.0  # for the sync to fetch what it missed

WITHOUT_OUTCOME = "SELECT count(*) FROM connections_app_callrequest WHERE outcome = 'sending'"
WITHOUT_RECORD = """
    SELECT count(*) FROM connections_app_callrequest AS request
    WHERE (SELECT count(DISTINCT phase) FROM connections_app_action
           WHERE subject = request.request_id::text AND verb = 'place') < 2
      AND outcome <> 'accepted' OR NOT EXISTS (
           SELECT FROM connections_app_action
           WHERE subject = request.request_id::text AND verb = 'place' AND phase = 'intent')
"""
LAST_EVENT_DIFFERS = """
    SELECT count(*) FROM connections_app_connection AS call
    JOIN LATERAL (
        SELECT changes -> 'status' ->> 1 AS status FROM connections_app_connectionevent
        WHERE connection_id = call.id AND changes ? 'status' ORDER BY change_number DESC LIMIT 1
    ) AS event ON event.status <> call.status
"""
PLACED = """
    SELECT connection.connection_id FROM connections_app_callrequest AS request
    JOIN connections_app_connection AS connection ON connection.id = request.connection_id
"""


def disagreements(database_url: str, sandbox: str) -> list[str]:
    """Return a sentence for each difference between the sandbox's log and the database."""
    with psycopg.connect(database_url, autocommit=True) as database:
        problems = [
            *_created_twice(sandbox),
            *_counted(database, WITHOUT_OUTCOME, "requests have no stated outcome"),
            *_counted(database, WITHOUT_RECORD, "requests are not on record with what became of them"),
            *_counted(database, LAST_EVENT_DIFFERS, "calls have another status than their last event"),
            *_missing(database, sandbox),
        ]
        made = _listed(sandbox)
        placed = {str(row[0]) for row in database.execute(PLACED).fetchall()}
    if unknown := placed - made:
        problems.append(f"{len(unknown)} requests have a call that Sift does not list.")
    return problems


def _created_twice(sandbox: str) -> list[str]:
    """Find requests that were created twice: each has its own callback URL, which then occurs twice."""
    log = requests.get(f"{sandbox}/log", timeout=30).json()["log"]
    bodies = [json.loads(entry["body"]) for entry in log if _is_create(entry)]
    counts = Counter(body["status_url"] for body in bodies)
    twice = sum(1 for times in counts.values() if times > 1)
    print(f"creates in Sift's log: {len(bodies)}, for {len(counts)} requests")
    return [f"{twice} requests were created twice."] if twice else []


def _is_create(entry: dict[str, Any]) -> bool:
    return bool(entry["method"] == "POST" and entry["path"] == "/v0/connections")


def _counted(database: "psycopg.Connection[Any]", question: str, words: str) -> list[str]:
    row = database.execute(question.encode()).fetchone()
    return [f"{row[0]} {words}."] if row and row[0] else []


def _missing(database: "psycopg.Connection[Any]", sandbox: str) -> list[str]:
    """Wait until the database has every call that Sift lists."""

    def missing() -> set[str]:
        rows = database.execute("SELECT connection_id FROM connections_app_connection").fetchall()
        return _listed(sandbox) - {str(row[0]) for row in rows}

    try:
        wait_for(lambda: not missing(), LIST_SECONDS)
    except TimeoutError:
        return [f"{len(missing())} calls that Sift lists are missing."]
    return []


def _listed(sandbox: str) -> set[str]:
    return {str(one) for one in requests.get(f"{sandbox}/ids", timeout=30).json()["ids"]}
