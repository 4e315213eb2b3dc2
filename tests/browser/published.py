"""Routines with versions, as the tests of pages need them."""

import json
from typing import Any

from connections_app.models import Routine, RoutineVersion

MANY = [
    {"name": "Say", "text": "Hello {{ customer }}"},
    {"name": "Say", "text": ""},
    {"name": "GetDigits", "count": "four", "timeout_seconds": 8},
    {"name": "JoinConference", "conference_name": "room", "live_scan": [{"key": "a"}], "loud": True},
    {"name": "Whisper", "to": "ana"},
    "no command",
    {"name": "HangUp"},
]


def saved(name: str, commands: Any, draft: Any = None) -> Routine:
    routine = Routine.objects.create(name=name, changed_by="sam", draft=json.dumps(draft) if draft else "")
    versions = [[{"name": "HangUp"}], commands]
    for number, each in enumerate(versions, start=1):
        routine.published = RoutineVersion.objects.create(
            routine=routine, number=number, commands=each, author="sam", note=f"Note {number}"
        )
    routine.save()
    return routine
