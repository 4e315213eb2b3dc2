"""The library of routines: save drafts, publish versions, archive. Concurrent changes are detected."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils import timezone

from connections_app.audit.log import record
from connections_app.calls import dialling
from connections_app.calls.dialling import NotDialled, Objection
from connections_app.models import Action, InboundRule, Operator, Routine, RoutineVersion, UsedBy, Verb
from connections_app.routines.cards import in_order
from connections_app.sift import routine as routines
from connections_app.sift.commands import Input
from connections_app.sift.placeholders import JSON, Placeholder, placeholders
from connections_app.sift.problems import Problem


class ChangedMeanwhile(Exception):
    """Somebody else changed the routine meanwhile."""


class NameTaken(Exception):
    """Another routine that is not archived has this name."""


class InUse(Exception):
    """A routine cannot be archived; `str()` names what uses it."""


class NotReady(Exception):
    """Commands cannot be published; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The operator who acts, and the IP address."""

    operator: Operator
    address: str | None = None


@dataclass(frozen=True, slots=True)
class RoutineDraft:
    """A routine as a person wrote it, based on `revision`; `text` is its commands as JSON."""

    name: str
    description: str
    used_by: UsedBy
    text: str
    revision: int


@dataclass(frozen=True, slots=True)
class Uses:
    """The inbound rules, active or not, and the published routines that use a routine."""

    rules: Sequence[InboundRule]
    routines: Sequence[Routine]

    @property
    def in_force(self) -> str:
        """The names of what must stop using it before it is archived, as one text."""
        rules = [f"the inbound rule “{rule.name}”" for rule in self.rules if rule.is_active]
        return ", ".join([*rules, *(f"the routine “{routine.name}”" for routine in self.routines)])


def save(routine: Routine | None, typed: RoutineDraft, actor: Actor) -> Routine:
    """Save a draft. The name, description and use take effect immediately.

    Raises `ChangedMeanwhile` and `NameTaken`.
    """
    with transaction.atomic(), _unique_name():
        return _write(routine, typed, actor, _draft(routine, typed.text))


def publish(
    routine: Routine | None, typed: RoutineDraft, note: str, actor: Actor, *, although_marked: str = ""
) -> RoutineVersion:
    """Publish what was written as the next version, and record it.

    Raises `ChangedMeanwhile`; `NameTaken`; `NotReady` if the commands have problems or are unchanged, or if
    incoming calls would dial endpoints marked “do not call”; and `NotDialled` if the commands dial marked
    endpoints that `although_marked` does not name.
    """
    commands = list(_without_problems(routines.read(typed.text)).source)
    marked = dialling.marked(dialling.endpoints_in(commands))
    if marked and although_marked != endpoints_of(marked):
        raise NotDialled(marked)
    with transaction.atomic(), _unique_name():
        _lock_continuations(routine, commands)
        saved = _write(routine, typed, actor, "")
        if saved.published and saved.published.commands == commands:
            raise NotReady(f"The commands are those of version {saved.published.number}.")
        _check_inbound(saved, commands)
        version = _next_version(saved, commands, note, actor)
        Routine.objects.filter(pk=saved.pk).update(published=version)
        payload = {"version": version.number, "note": note}
        if marked:
            payload["although_marked"] = although_marked
        _record(Verb.PUBLISH, saved, actor, payload, "published")
    return version


def restore(routine: Routine, version: RoutineVersion, revision: int, actor: Actor) -> None:
    """Make a version the draft; the published one empties the draft. Raises `ChangedMeanwhile`."""
    draft = _draft(routine, routines.written(in_order(version.commands)))
    _claim(Routine.objects.current(), routine, revision, actor, draft=draft)


def archive(routine: Routine, revision: int, actor: Actor) -> None:
    """Hide a routine; calls keep the version that they use. Raises `ChangedMeanwhile` and `InUse`."""
    with transaction.atomic():
        Routine.objects.select_for_update().get(pk=routine.pk)
        if in_force := uses(routine).in_force:
            raise InUse(in_force)
        _claim(Routine.objects.current(), routine, revision, actor, archived_at=timezone.now())
        _record(Verb.ARCHIVE, routine, actor, {}, "archived")


def unarchive(routine: Routine, revision: int, actor: Actor) -> None:
    """Show an archived routine again. Raises `ChangedMeanwhile` and `NameTaken`."""
    with transaction.atomic(), _unique_name():
        _claim(Routine.objects.exclude(archived_at=None), routine, revision, actor, archived_at=None)
        _record(Verb.ARCHIVE, routine, actor, {}, "brought back")


def delete(routine: Routine, revision: int, actor: Actor) -> None:
    """Delete a routine that was never published. Raises `ChangedMeanwhile`."""
    with transaction.atomic():
        unpublished = Routine.objects.filter(pk=routine.pk, revision=revision, versions=None)
        if not unpublished.delete()[0]:
            raise ChangedMeanwhile
        _record(Verb.ARCHIVE, routine, actor, {"draft": routine.draft}, "deleted")


def uses(routine: Routine) -> Uses:
    """Return what uses the routine. Two queries."""
    published = Routine.objects.current().exclude(pk=routine.pk).exclude(published=None)
    return Uses(
        list(routine.inboundrule_set.all()),
        [
            other
            for other in published.select_related("published").order_by("name")
            if other.published and routine.pk in continuations(other.published.commands)
        ],
    )


def continuations(commands: Sequence[JSON]) -> frozenset[int]:
    """Return the ids of the routines that `commands` continue with."""
    return routines.check(list(commands)).continuations


def placeholders_of(routine: Routine) -> tuple[Placeholder, ...]:
    """Return the placeholders of the published version and all that may follow. One query per step."""
    return placeholders(_all_commands(_reached(routine.pk)))


def dialled_by(routine: Routine) -> tuple[str, ...]:
    """Return the endpoints that the published version and all that may follow dial. One query per step."""
    return dialling.endpoints_in(_all_commands(_reached(routine.pk)))


def endpoints_of(marked: Sequence[Objection]) -> str:
    """Return the marked endpoints as one text, which a checkbox confirms."""
    return ", ".join(one.endpoint for one in marked)


def problems_of_continuations(checked: routines.Routine, known: Mapping[int, str]) -> Iterator[Problem]:
    """Yield a problem for each command that continues with a routine that is not `known`."""
    for position, command in enumerate(checked.commands, start=1):
        if isinstance(command, Input) and set((command.then or {}).values()) - known.keys():
            words = "goes on with a routine that is not published"
            yield Problem(words, position, command.name, "then")


def names() -> dict[int, str]:
    """Return the names of the routines that another may continue with, by id."""
    published = Routine.objects.current().exclude(published=None).order_by("name")
    return dict(published.values_list("pk", "name"))


def text_of(routine: Routine) -> str:
    """Return the JSON for the editor: the draft, or else the published commands."""
    if routine.draft or not routine.published:
        return routine.draft or "[]"
    return routines.written(in_order(routine.published.commands))


def _lock_continuations(routine: Routine | None, commands: list[JSON]) -> None:
    """Lock the routines that `commands` continue with, so that none is archived. Raises `NotReady`.

    They are locked in the order of their ids, so that two publications cannot deadlock.
    """
    own = {routine.pk} if routine else set()
    needed = continuations(commands)
    locked = Routine.objects.select_for_update().filter(pk__in=own | needed).order_by("pk")
    found = {one.pk for one in locked if one.published_id and not one.archived_at}
    if needed - own - found:
        raise NotReady("It goes on with a routine that is not published.")


def _reached(first: int, instead: Mapping[int, list[JSON]] = MappingProxyType({})) -> dict[int, list[JSON]]:
    """Return the published commands of a routine and of all that may follow, by routine id; for the ids in
    `instead`, its commands."""
    found: dict[int, list[JSON]] = {}
    open_ = {first}
    while open_:
        steps = Routine.objects.filter(pk__in=open_ - instead.keys()).exclude(published=None)
        found |= dict(steps.values_list("pk", "published__commands"))
        found |= {pk: instead[pk] for pk in open_ & instead.keys()}
        open_ = {pk for step in open_ for pk in continuations(found.get(step, []))} - found.keys() - open_
    return found


def _all_commands(reached: Mapping[int, list[JSON]]) -> list[JSON]:
    return [command for commands in reached.values() for command in commands]


def _check_inbound(routine: Routine, commands: list[JSON]) -> None:
    """Raise `NotReady` if, with `commands`, an active inbound rule would dial a marked endpoint."""
    for rule in InboundRule.objects.filter(is_active=True):
        reached = _reached(rule.routine_id, {routine.pk: commands})
        if routine.pk not in reached:
            continue
        if marked := dialling.marked(dialling.endpoints_in(_all_commands(reached))):
            words = " ".join(one.words for one in marked)
            raise NotReady(f"The inbound rule “{rule.name}” uses it, where nobody can be asked: {words}")


def _write(routine: Routine | None, typed: RoutineDraft, actor: Actor, draft: str) -> Routine:
    written: dict[str, Any] = {
        "name": typed.name,
        "description": typed.description,
        "used_by": typed.used_by,
        "draft": draft,
    }
    if routine is None:
        return Routine.objects.create(changed_by=actor.operator.get_username(), **written)
    _claim(Routine.objects.current(), routine, typed.revision, actor, **written)
    return Routine.objects.select_related("published").get(pk=routine.pk)


def _claim(among: Any, routine: Routine, revision: int, actor: Actor, **changes: Any) -> None:
    """Change `routine` if it is still at `revision`. Raises `ChangedMeanwhile`."""
    claimed = among.filter(pk=routine.pk, revision=revision).update(
        revision=F("revision") + 1,
        changed_by=actor.operator.get_username(),
        changed_at=timezone.now(),
        **changes,
    )
    if not claimed:
        raise ChangedMeanwhile


def _draft(routine: Routine | None, text: str) -> str:
    """Return the text to store as the draft: empty if the commands are the published ones."""
    published = routine.published if routine else None
    checked = routines.read(text)
    return "" if published and list(checked.source) == published.commands else text


def _without_problems(checked: routines.Routine) -> routines.Routine:
    if checked.problems:
        raise NotReady("Mend what is marked before it is published. As a draft it can be saved.")
    return checked


def _next_version(routine: Routine, commands: list[JSON], note: str, actor: Actor) -> RoutineVersion:
    last = routine.versions.aggregate(last=Max("number"))["last"] or 0
    author = actor.operator.get_username()
    return routine.versions.create(number=last + 1, commands=commands, note=note, author=author)


def _record(verb: Verb, routine: Routine, actor: Actor, payload: Mapping[str, Any], outcome: str) -> None:
    subject = f"routine {routine.pk}: {routine.name}"
    given: dict[str, Any] = {"address": actor.address, "subject": subject, "payload": payload}
    record(verb, Action.Phase.INTENT, actor.operator, **given)
    record(verb, Action.Phase.OUTCOME, actor.operator, **given, outcome=outcome)


@contextmanager
def _unique_name() -> Iterator[None]:
    """Raise `NameTaken` if the database refuses a second routine with the same name."""
    try:
        yield
    except IntegrityError as error:
        if "routine_name_once" in str(error):
            raise NameTaken from error
        raise
