"""Make, change and delete tags; add them to single calls and remove them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from connections_app.access.permissions import (
    check_may_change_tags,
    check_may_delete_tags,
    check_may_make_tags,
    check_may_tag,
    may_make_tags,
    may_tag,
)
from connections_app.audit.log import record
from connections_app.calls.notify import announce
from connections_app.models import Action, CallTag, Colour, Connection, Operator, Tag, Verb
from connections_app.models.case_folding import key_of
from connections_app.models.characters import NO_NAME, is_seen
from connections_app.saved_views import saving

# An exact count of more calls would be slow for a list.
MAX_COUNTED = 10_000
COUNT = """(
    SELECT count(*) FROM (
        SELECT FROM connections_app_calltag WHERE tag_id = connections_app_tag.id LIMIT %s
    ) AS few
)"""


class NoSuchTag(LookupError):
    """There is no tag of this name, and the person may not make it; `str()` is the reason."""


class NameTaken(ValueError):
    """Another tag has this name."""

    def __str__(self) -> str:
        return "There is a tag of this name."


def in_words(calls: int) -> str:
    """Return `1 call` or `2,000 calls`."""
    return "1 call" if calls == 1 else f"{calls:,} calls"


def tags_context(call: Connection, operator: Operator) -> dict[str, Any]:
    """Return the template context of a call's tags, and of those that `operator` may add. Two queries."""
    tags = list(Tag.objects.filter(call_tags__connection=call))
    may = may_tag(operator)
    others = list(Tag.objects.exclude(pk__in=[tag.pk for tag in tags])) if may else []
    return {"call": call, "tags": tags, "other_tags": others, "may_tag": may}


def with_counts() -> QuerySet[Tag]:
    """Return all tags by name, each with its number of `calls`, counted up to `MAX_COUNTED` + 1."""
    return Tag.objects.annotate(calls=RawSQL(COUNT, [MAX_COUNTED + 1]))  # noqa: S611


def find(name: str) -> Tag | None:
    """Return the tag of this name, ignoring case."""
    return Tag.objects.filter(name__lower=key_of(name)).first()


def find_or_make(name: str, operator: Operator, address: str | None) -> Tag:
    """Return the tag of this name, made if it is new and `operator` may make it. Raises `NoSuchTag`."""
    if found := find(name):
        return found
    if not may_make_tags(operator):
        raise NoSuchTag(f"There is no tag “{name}”. A supervisor makes new ones.")
    if not is_seen(name):
        raise NoSuchTag(NO_NAME)
    try:
        return make(name, Colour.BLUE, operator, address)
    except NameTaken:
        return Tag.objects.get(name__lower=key_of(name))


def make(name: str, colour: str, operator: Operator, address: str | None) -> Tag:
    """Make a tag. Raises `PermissionDenied` and `NameTaken`."""
    check_may_make_tags(operator)
    with _unique_name():
        tag = Tag.objects.create(name=name, colour=colour, made_by=operator.get_username())
        _record(tag, operator, address, f"Made “{name}”.")
    return tag


def change(tag: Tag, name: str, colour: str, operator: Operator, address: str | None) -> None:
    """Rename and recolour the tag, also in saved views. Raises `PermissionDenied` and `NameTaken`."""
    check_may_change_tags(operator)
    with _unique_name():
        # The current name: somebody else may have renamed the tag since it was read.
        locked = Tag.objects.select_for_update(no_key=True).filter(pk=tag.pk).first()
        if locked is None:
            return
        Tag.objects.filter(pk=tag.pk).update(name=name, colour=colour)
        saving.rename_tag(locked.name, name)
        words = f"“{locked.name}” is now “{name}”, {Colour(colour).label.lower()}."
        _record(locked, operator, address, words)


def delete(tag: Tag, operator: Operator, address: str | None) -> None:
    """Delete the tag, which removes it from every call. Raises `PermissionDenied`."""
    check_may_delete_tags(operator)
    with transaction.atomic():
        # Adding a tag to calls locks it too, so it is added to none during the deletion.
        locked = Tag.objects.select_for_update().filter(pk=tag.pk).first()
        if locked is None:
            return
        calls = CallTag.objects.filter(tag=locked).count()
        _record(locked, operator, address, f"Deleted “{locked.name}”, which was on {in_words(calls)}.")
        locked.delete()


def add_to(tag: Tag, call: Connection, operator: Operator, address: str | None) -> None:
    """Add `tag` to one call, once. Raises `PermissionDenied` and `Tag.DoesNotExist`."""
    check_may_tag(operator)
    with transaction.atomic():
        Tag.objects.select_for_update(no_key=True).get(pk=tag.pk)
        # Locked, so that the time of the call does not change before it is copied to the tag.
        at = Connection.objects.select_for_update(no_key=True).values_list("at", flat=True).get(pk=call.pk)
        _, is_new = CallTag.objects.get_or_create(
            connection=call, tag=tag, defaults={"at": at, "tagged_by": operator.get_username()}
        )
        if is_new:
            _record_on(Verb.TAG, tag, call, operator, address, f"Put on “{tag.name}”.")
            announce([call.pk])


def remove_from(tag: Tag, call: Connection, operator: Operator, address: str | None) -> None:
    """Remove `tag` from one call. Raises `PermissionDenied`."""
    check_may_tag(operator)
    with transaction.atomic():
        taken, _ = CallTag.objects.filter(connection=call, tag=tag).delete()
        if taken:
            _record_on(Verb.UNTAG, tag, call, operator, address, f"Took off “{tag.name}”.")
            announce([call.pk])


@contextmanager
def _unique_name() -> Iterator[None]:
    """Open a transaction. Raises `NameTaken` if it gives a second tag the same name."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "tag_name_once" in str(error):
            raise NameTaken from error
        raise


def _record(tag: Tag, operator: Operator, address: str | None, outcome: str) -> None:
    record(
        Verb.CHANGE_TAG,
        Action.Phase.OUTCOME,
        operator,
        address=address,
        subject=f"tag {tag.pk}",
        outcome=outcome,
    )


def _record_on(
    verb: Verb, tag: Tag, call: Connection, operator: Operator, address: str | None, outcome: str
) -> None:
    record(
        verb,
        Action.Phase.OUTCOME,
        operator,
        address=address,
        connection_id=call.connection_id,
        subject=f"tag {tag.pk}",
        outcome=outcome,
    )
