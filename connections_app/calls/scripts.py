"""Make scripts: turn the routine requested for a call into rows that are in force for it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection as database

from connections_app.access.permissions import may_steer_any
from connections_app.calls import dialling
from connections_app.calls.notify import announce
from connections_app.models import Connection, Operator, Origin, Routine, RoutineVersion, new_token
from connections_app.sift import routine as routines
from connections_app.sift.commands import Input
from connections_app.sift.placeholders import JSON, JSONObject, Placeholder, fill, placeholders
from connections_app.web.callback_urls import done_address

# The newest script of a call supersedes the others, also the one it was placed with, which may not be bound
# yet. A script that would dial an endpoint marked “do not call” is not made unless a person confirmed that.
MAKE = f"""
    WITH marked AS ({dialling.MARKED}), made AS (
        INSERT INTO connections_app_script
            (connection_id, origin, name, version_id, commands, preview, "values", versions, dials, made_at,
             offered_at, settled_at, step_id, confirmed)
        SELECT %(connection)s, %(origin)s, %(name)s, %(version)s, %(commands)s::jsonb, %(preview)s,
               %(values)s::jsonb, %(versions)s::jsonb, %(dials)s, clock_timestamp(),
               CASE WHEN %(given)s THEN clock_timestamp() END,
               CASE WHEN %(given)s THEN clock_timestamp() END, %(step)s::bigint, %(confirmed)s::text[]
        WHERE NOT EXISTS (SELECT FROM marked)
        ON CONFLICT (connection_id) WHERE origin = 'inbound' DO NOTHING
        RETURNING id
    ), asking AS (
        INSERT INTO connections_app_step (script_id, position, command, token, "then")
        SELECT made.id, step.position, step.command, step.token, step."then"
        FROM made CROSS JOIN json_to_recordset(%(steps)s::json) AS step
            (position smallint, command varchar, token varchar, "then" jsonb)
    ), superseded AS (
        UPDATE connections_app_script SET superseded_by_id = (SELECT id FROM made)
        WHERE superseded_by_id IS NULL AND (
            connection_id = %(connection)s
            OR id = (SELECT script_id FROM connections_app_callrequest WHERE connection_id = %(connection)s)
        )
    )
    SELECT (SELECT id FROM made), (SELECT array_agg(requested) FROM marked)
"""  # noqa: S608

# The one rule for which script of the call %(call)s is in force: the newest that Sift did not refuse.
# Every query that uses it (callbacks, the watch, the board, a call's page) has the script's row as `script`.
# `superseded_by` repeats this in the row, so that a claim that waits for a push to commit sees it. A push may
# precede the match of its call with a request, so newer scripts are searched as well.
NOT_REFUSED = """
    NOT EXISTS (
        SELECT FROM connections_app_push AS refused
        WHERE refused.script_id = {script}.id AND refused.outcome = 'rejected'
    )
"""
IN_FORCE = f"""
    script.superseded_by_id IS NULL AND {NOT_REFUSED.format(script="script")} AND NOT EXISTS (
        SELECT FROM connections_app_script AS newer
        WHERE newer.connection_id = %(call)s AND newer.id > script.id AND {NOT_REFUSED.format(script="newer")}
    )
"""
# A script in force that callbacks and the watch may still send to Sift.
MAY_BE_GIVEN = f"script.settled_at IS NULL AND {IN_FORCE}"

# The scripts that a refused script superseded are now superseded by its own successor, if it has one.
TAKE_BACK = """
    UPDATE connections_app_script AS script SET superseded_by_id = refused.superseded_by_id
    FROM connections_app_script AS refused
    WHERE refused.id = %s AND script.superseded_by_id = refused.id
"""


class NotUsable(Exception):
    """A routine cannot be run as requested. `problems` are sentences by the field they belong to (`routine`,
    `commands`, `overrule`, or a placeholder's); `placeholders` are those that must be filled."""

    def __init__(self, problems: Mapping[str, list[str]], placeholders: tuple[Placeholder, ...] = ()) -> None:
        super().__init__("; ".join(words for all_words in problems.values() for words in all_words))
        self.problems = problems
        self.placeholders = placeholders


@dataclass(frozen=True, slots=True)
class ScriptRequest:
    """A routine to run on one call: checked, filled, with the versions that may follow it.

    `dialled` holds every number and client that it dials; if a person requested it, also those that the
    routines after it may dial.
    """

    routine: routines.Routine
    preview: str
    name: str = ""
    version_id: int | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    placeholders: tuple[Placeholder, ...] = ()
    dialled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """A script that was made: its key, and the commands as they are sent to Sift."""

    pk: int
    commands: list[JSONObject]
    dials: bool


HANG_UP = ScriptRequest(routines.check([{"name": "HangUp"}]), "Hangs up.", "Hang up")


def saved_routine(pk: int, values: Mapping[str, str], operator: Operator) -> ScriptRequest:
    """Return a saved routine, filled with `values`. Raises `NotUsable`."""
    usable = Routine.objects.usable(by_supervisor=may_steer_any(operator))
    saved = usable.filter(pk=pk).first()
    if saved is None or saved.published is None:
        raise NotUsable({"routine": ["There is no such routine, or you may not use it."]})
    return _request_for(saved.published.commands, values, operator, "routine", saved.name, saved.published.pk)


def given_commands(
    text: str, values: Mapping[str, str], operator: Operator, *, overrule: bool = False
) -> ScriptRequest:
    """Return the request for commands written as JSON. Raises `NotUsable`.

    Unknown commands are accepted only from a supervisor, with `overrule`.
    """
    read = routines.read(text)
    if read.problems:
        raise NotUsable({"commands": [str(problem) for problem in read.problems]})
    if read.warnings:
        _check_overruled(read, operator, overrule)
    return _request_for(list(read.source), values, operator, "commands")


def routine_version(
    version: RoutineVersion, values: Mapping[str, str], versions: Mapping[str, int]
) -> ScriptRequest:
    """Return a published version that follows an answer, or answers a call. Raises `NotUsable`."""
    filled = fill(version.commands, values, "")
    if filled.problems:
        raise NotUsable({"routine": list(filled.problems.values())})
    checked = routines.check(filled.commands)
    if checked.problems:
        raise NotUsable({"routine": [str(problem) for problem in checked.problems]})
    name = version.routine.name
    dialled = dialling.endpoints_in(filled.commands)
    return ScriptRequest(
        checked, routines.preview(checked), name, version.pk, values, versions, dialled=dialled
    )


def make(
    request: ScriptRequest,
    origin: Origin,
    *,
    connection: int | None = None,
    step: int | None = None,
    given: bool = False,
    confirmed: Sequence[str] = (),
) -> Made | None:
    """Make the script and its steps, which supersede the script in force for `connection`. One statement.

    `given` means that it is sent to Sift at once; `confirmed` holds endpoints that may be dialled although
    marked “do not call”. Returns None if an incoming call already has its script. Raises `NotDialled`.
    """
    steps: list[JSONObject] = []
    commands = routines.for_sift(request.routine, _addresses(request.routine, steps))
    with database.cursor() as cursor:
        cursor.execute(
            MAKE,
            _values(request)
            | {
                "connection": connection,
                "origin": origin.value,
                "commands": json.dumps(commands),
                "given": given,
                "step": step,
                "steps": json.dumps(steps),
                "confirmed": list(confirmed),
            },
        )
        pk, marked = cursor.fetchone()
    if marked:
        raise dialling.refused(marked)
    if pk and connection:
        announce([connection])
    return Made(pk, commands, request.routine.dials) if pk else None


def _values(request: ScriptRequest) -> dict[str, Any]:
    return {
        "name": request.name,
        "version": request.version_id,
        "preview": request.preview,
        "values": json.dumps(dict(request.values)),
        "versions": json.dumps(dict(request.versions)),
        "dials": request.routine.dials,
        "dialled": list(request.dialled),
    }


def make_for(
    connection: Connection, request: ScriptRequest, origin: Origin, confirmed: Sequence[str] = ()
) -> Made:
    """Make a script to send to Sift now, which replaces the one that runs. Raises `NotDialled`."""
    made = make(request, origin, connection=connection.pk, given=True, confirmed=confirmed)
    if made is None:
        raise ValueError(f"{connection} has its one {origin} script already")
    return made


def undo_superseding(script: int) -> None:
    """Make the script with key `script`, which Sift refused, no longer supersede others."""
    with database.cursor() as cursor:
        cursor.execute(TAKE_BACK, [script])


def placeholder_field(name: str) -> str:
    """Return the name of the form field that fills a placeholder."""
    return f"fill-{name}"


def _check_overruled(read: routines.Routine, operator: Operator, overrule: bool) -> None:
    unknown = [str(warning) for warning in read.warnings]
    if not may_steer_any(operator):
        raise NotUsable({"commands": [*unknown, "A supervisor may send it all the same."]})
    if not overrule:
        raise NotUsable({"commands": unknown, "overrule": ["Say that it is to be sent all the same."]})


def _request_for(
    commands: list[JSONObject],
    values: Mapping[str, str],
    operator: Operator,
    where: str,
    name: str = "",
    version_id: int | None = None,
) -> ScriptRequest:
    following, names = _following(routines.check(commands), where)
    everything = [*commands, *(command for version in following for command in version.commands)]
    filled = fill(everything, values, operator.dials_from)
    used = placeholders(everything)
    if filled.problems:
        problems = {placeholder_field(name): [words] for name, words in filled.problems.items()}
        raise NotUsable(problems, used)
    checked = routines.check(filled.commands[: len(commands)])
    if checked.problems:
        raise NotUsable({where: [str(problem) for problem in checked.problems]}, used)
    return ScriptRequest(
        checked,
        routines.preview(checked, names),
        name,
        version_id,
        filled.values,
        {str(version.routine_id): version.pk for version in following},
        used,
        dialling.endpoints_in(filled.commands, operator.dials_from),
    )


def _following(first: routines.Routine, where: str) -> tuple[list[RoutineVersion], dict[int, str]]:
    """Return the published version and name of every routine that may follow `first`, directly or not."""
    versions: dict[int, RoutineVersion] = {}
    names: dict[int, str] = {}
    open_ = set(first.continuations)
    while open_:
        found = Routine.objects.current().filter(pk__in=open_).select_related("published")
        for saved in found:
            if saved.published:
                versions[saved.pk], names[saved.pk] = saved.published, saved.name
        if missing := open_ - versions.keys():
            raise NotUsable(
                {where: [f"It goes on with routine {min(missing)}, which is not there or not published."]}
            )
        open_ = {
            pk for pk in open_ for pk in routines.check(versions[pk].commands).continuations
        } - versions.keys()
    return list(versions.values()), names


def _addresses(routine: routines.Routine, steps: list[JSONObject]) -> Callable[[int], str]:
    """Return a function that makes a command's callback address and adds its step to `steps`."""

    def address(position: int) -> str:
        command = routine.commands[position - 1]
        then: JSON = command.then if isinstance(command, Input) else None
        token = new_token()
        steps.append({"position": position, "command": command.name, "token": token, "then": then or {}})
        return done_address(token)

    return address
