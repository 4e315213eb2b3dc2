"""Check that a text can be the id of a call: each call has a page at `/calls/<connection_id>/`."""

import re

LONGEST_ID = 255  # characters
# A call with one of these ids would hide the page at the same address, so its row is unusable.
RESERVED = frozenset({"place"})
# If a call has one of these ids, its page is shown instead of the page at that address.
SHARED = frozenset({"export", "search", "tags"})

# Browsers and proxies resolve these as path segments.
STEPS = frozenset({".", ".."})
CONTROL_OR_SLASH = re.compile(r"[\x00-\x1f\x7f/\\]")


def problem_with_id(connection_id: str) -> str:
    """Return why no call can have this id; empty if one can."""
    if len(connection_id) > LONGEST_ID:
        return f"connection_id has {len(connection_id)} characters; {LONGEST_ID} are the most."
    if connection_id in RESERVED | STEPS or CONTROL_OR_SLASH.search(connection_id):
        return "connection_id cannot stand in a path."
    return ""
