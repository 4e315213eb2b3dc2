"""Which texts can be the id of a call: each call has a page of its own at `/calls/<connection_id>/`."""

import re

LONGEST_ID = 255  # characters
# A call with one of these ids would take the page at the same address from everybody: its row is unusable.
RESERVED = frozenset({"place"})
# A page at one of these addresses gives way to the call with that id, where there is one.
SHARED = frozenset({"export", "search", "tags"})

# Browsers and proxies would read these as steps in a path.
STEPS = frozenset({".", ".."})
CONTROL_OR_SLASH = re.compile(r"[\x00-\x1f\x7f/\\]")


def problem_with_id(connection_id: str) -> str:
    """Return why no call can have this id, in words; empty where one can."""
    if len(connection_id) > LONGEST_ID:
        return f"connection_id has {len(connection_id)} characters; {LONGEST_ID} are the most."
    if connection_id in RESERVED | STEPS or CONTROL_OR_SLASH.search(connection_id):
        return "connection_id cannot stand in a path."
    return ""
