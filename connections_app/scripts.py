"""Make scripts: from what a person wants run on a call to rows that are in force for it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.db import connection as database

from connections_app.addresses import done_address
from connections_app.announcing import announce
from connections_app.models import Connection, Operator, Origin, Routine, RoutineVersion, new_token
from connections_app.sift import routine as routines
from connections_app.sift.commands import Input
from connections_app.sift.routine import JSON, JSONObject, Placeholder

# The newest script of a call supersedes the others; the one that a call was placed with may not be bound yet.
MAKE = """
    WITH made AS (
        INSERT INTO connections_app_script
            (connection_id, origin, name, version_id, commands, preview, "values", versions, dials, made_at,
             offered_at, settled_at, step_id)
        VALUES (%(connection)s, %(origin)s, %(name)s, %(version)s, %(commands)s::jsonb, %(preview)s,
                %(values)s::jsonb, %(versions)s::jsonb, %(dials)s, clock_timestamp(),
                CASE WHEN %(given)s THEN clock_timestamp() END,
                CASE WHEN %(given)s THEN clock_timestamp() END, %(step)s)
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
    SELECT id FROM made
"""

# Whether a script (of that alias) is in force for callbacks about the call %(call)s. A push may be older than
# the knowledge that the call is this request's, so that it is looked for as well.
IN_FORCE = """
    script.settled_at IS NULL AND script.superseded_by_id IS NULL AND NOT EXISTS (
        SELECT FROM connections_app_push AS push
        WHERE push.connection_id = %(call)s AND push.outcome <> 'rejected' AND push.kind <> 'fallback'
    )
"""

# A script that Sift refused supersedes nothing.
TAKE_BACK = "UPDATE connections_app_script SET superseded_by_id = NULL WHERE superseded_by_id = %s"


class NotUsable(Exception):
    """A routine cannot be run as it was asked for. `problems` are sentences by the field they belong to
    (`routine`, `commands`, `overrule`, or a placeholder's); `placeholders` are those that must be filled."""

    def __init__(self, problems: Mapping[str, list[str]], placeholders: tuple[Placeholder, ...] = ()) -> None:
        super().__init__("; ".join(words for all_words in problems.values() for words in all_words))
        self.problems = problems
        self.placeholders = placeholders


@dataclass(frozen=True, slots=True)
class Wanted:
    """A routine as it is to be run on one call: checked, filled, with the versions that may follow it."""

    routine: routines.Routine
    preview: str
    name: str = ""
    version_id: int | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    placeholders: tuple[Placeholder, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """A script that was made: its key, and the commands as Sift is sent them."""

    pk: int
    commands: list[JSONObject]
    dials: bool


HANG_UP = Wanted(routines.check([{"name": "HangUp"}]), "Hangs up.", "Hang up")


def want_saved(pk: int, values: Mapping[str, str], operator: Operator) -> Wanted:
    """A saved routine, filled with `values`. Raises `NotUsable`."""
    usable = Routine.objects.usable(by_supervisor=operator.has_perm("connections_app.steer_any_call"))
    saved = usable.filter(pk=pk).first()
    if saved is None or saved.published is None:
        raise NotUsable({"routine": ["There is no such routine, or you may not use it."]})
    return _wanted(saved.published.commands, values, operator, "routine", saved.name, saved.published.pk)


def want_commands(
    text: str, values: Mapping[str, str], operator: Operator, *, overrule: bool = False
) -> Wanted:
    """A list of commands written as JSON. Raises `NotUsable`.

    Commands that are not known here need a supervisor, who says so by `overrule`.
    """
    read = routines.read(text)
    if read.problems:
        raise NotUsable({"commands": [str(problem) for problem in read.problems]})
    if read.warnings:
        _check_overruled(read, operator, overrule)
    return _wanted(list(read.source), values, operator, "commands")


def want_version(version: RoutineVersion, values: Mapping[str, str], versions: Mapping[str, int]) -> Wanted:
    """A published version that goes on after an answer, or answers a call. Raises `NotUsable`."""
    filled = routines.fill(version.commands, values, "")
    if filled.problems:
        raise NotUsable({"routine": list(filled.problems.values())})
    checked = routines.check(filled.commands)
    if checked.problems:
        raise NotUsable({"routine": [str(problem) for problem in checked.problems]})
    name = version.routine.name
    return Wanted(checked, routines.preview(checked), name, version.pk, values, versions)


def make(
    wanted: Wanted,
    origin: Origin,
    *,
    connection: int | None = None,
    step: int | None = None,
    given: bool = False,
) -> Made | None:
    """Make the script and its steps, and let it supersede what is in force for `connection`. One statement.

    `given` says that Sift is handed it at once. None where a call that came in already has its script.
    """
    steps: list[JSONObject] = []
    commands = routines.for_sift(wanted.routine, _addresses(wanted.routine, steps))
    with database.cursor() as cursor:
        cursor.execute(
            MAKE,
            {
                "connection": connection,
                "origin": origin.value,
                "name": wanted.name,
                "version": wanted.version_id,
                "commands": json.dumps(commands),
                "preview": wanted.preview,
                "values": json.dumps(dict(wanted.values)),
                "versions": json.dumps(dict(wanted.versions)),
                "dials": wanted.routine.dials,
                "given": given,
                "step": step,
                "steps": json.dumps(steps),
            },
        )
        row = cursor.fetchone()
    if row and connection:
        announce([connection])
    return Made(row[0], commands, wanted.routine.dials) if row else None


def make_for(connection: Connection, wanted: Wanted, origin: Origin) -> Made:
    """Make a script that Sift is handed now, in the place of what runs on the call."""
    made = make(wanted, origin, connection=connection.pk, given=True)
    if made is None:
        raise ValueError(f"{connection} has its one {origin} script already")
    return made


def take_back(script: int) -> None:
    """Put in force again what a script had superseded that Sift refused."""
    with database.cursor() as cursor:
        cursor.execute(TAKE_BACK, [script])


def placeholder_field(name: str) -> str:
    """The name of the form field that fills a placeholder."""
    return f"fill-{name}"


def _check_overruled(read: routines.Routine, operator: Operator, overrule: bool) -> None:
    unknown = [str(warning) for warning in read.warnings]
    if not operator.has_perm("connections_app.steer_any_call"):
        raise NotUsable({"commands": [*unknown, "A supervisor may send it all the same."]})
    if not overrule:
        raise NotUsable({"commands": unknown, "overrule": ["Say that it is to be sent all the same."]})


def _wanted(
    commands: list[JSONObject],
    values: Mapping[str, str],
    operator: Operator,
    where: str,
    name: str = "",
    version_id: int | None = None,
) -> Wanted:
    following, names = _following(routines.check(commands), where)
    everything = [*commands, *(command for version in following for command in version.commands)]
    filled = routines.fill(everything, values, operator.dials_from)
    placeholders = routines.placeholders(everything)
    if filled.problems:
        problems = {placeholder_field(name): [words] for name, words in filled.problems.items()}
        raise NotUsable(problems, placeholders)
    checked = routines.check(filled.commands[: len(commands)])
    if checked.problems:
        raise NotUsable({where: [str(problem) for problem in checked.problems]}, placeholders)
    return Wanted(
        checked,
        routines.preview(checked, names),
        name,
        version_id,
        filled.values,
        {str(version.routine_id): version.pk for version in following},
        placeholders,
    )


def _following(first: routines.Routine, where: str) -> tuple[list[RoutineVersion], dict[int, str]]:
    """The published version of every routine that may go on after `first`, however far, and their names."""
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
    """What gives an input command its address, and notes the step that the address stands for."""

    def address(position: int) -> str:
        command = routine.commands[position - 1]
        then: JSON = command.then if isinstance(command, Input) else None
        token = new_token()
        steps.append({"position": position, "command": command.name, "token": token, "then": then or {}})
        return done_address(token)

    return address
