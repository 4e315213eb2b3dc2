"""Saved views: the filters and the order of the list under a name, for one person or for all."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.db import transaction
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone

from connections_app.call_list import links
from connections_app.call_list.filters import CallsForm
from connections_app.models import Operator, SavedView, Tag
from connections_app.models.case_folding import key_of

MOST_VIEWS = 100
LONGEST_QUERY = 4000
SALT = "a deleted view"


class NotSaved(ValueError):
    """The view cannot be kept so; its text says why."""


class NameTaken(NotSaved):
    """The person has a view of this name already."""

    def __init__(self, view: SavedView) -> None:
        super().__init__(f"You have a view “{view.name}” already.")
        self.view = view


def own(operator: Operator) -> QuerySet[SavedView]:
    return SavedView.objects.filter(owner=operator)


def save(name: str, query: str, is_shared: bool, operator: Operator, *, replacing: str = "") -> SavedView:
    """Keep what `query` asks of the list; a second time the same is the same view.

    A view of this name gives way only where its code is `replacing`. Raises `NotSaved`.
    """
    with _one_at_a_time(operator):
        filters_query = _checked(query)
        same = _named(name, operator)
        if same is None:
            return _make(operator, name=name, query=filters_query, is_shared=is_shared)
        if (same.query, same.is_shared) != (filters_query, is_shared):
            if same.code != replacing:
                raise NameTaken(same)
            same.query, same.is_shared, same.changed_at = filters_query, is_shared, timezone.now()
            same.save()
        return same


def change(view: SavedView, name: str, is_shared: bool) -> None:
    """Rename `view`, and share it or keep it to its owner. Raises `NameTaken`."""
    with _one_at_a_time(view.owner):
        same = _named(name, view.owner)
        if same and same.pk != view.pk:
            raise NameTaken(same)
        SavedView.objects.filter(pk=view.pk).update(name=name, is_shared=is_shared, changed_at=timezone.now())


def delete(view: SavedView) -> str:
    """Delete `view`. What `restore` needs, signed."""
    kept = {"code": view.code, "name": view.name, "query": view.query, "is_shared": view.is_shared}
    SavedView.objects.filter(pk=view.pk).delete()
    return signing.dumps(kept | {"owner": view.owner_id}, salt=SALT)


def restore(signed: str, operator: Operator) -> SavedView:
    """Undo what `operator` deleted: the same view under the same link. Raises `NotSaved`."""
    try:
        kept = signing.loads(signed, salt=SALT)
    except signing.BadSignature:
        raise NotSaved("What was deleted cannot be told.") from None
    if kept.pop("owner") != operator.pk:
        raise NotSaved("This was somebody else's view.")
    with _one_at_a_time(operator):
        if there := own(operator).filter(code=kept["code"]).first():
            return there
        if same := _named(kept["name"], operator):
            raise NameTaken(same)
        return _make(operator, **kept)


def asking_for(tag: str) -> list[SavedView]:
    """The views, of whomever, that name this tag."""
    likely = SavedView.objects.filter(query__contains=urlencode({"tag": tag})).order_by("pk")
    return [view for view in likely if tag in QueryDict(view.query).getlist("tag")]


def rename_tag(tag: str, name: str) -> None:
    """Have the views that ask for `tag` ask for `name`, in the transaction that renames it."""
    for view in asking_for(tag):
        asked = QueryDict(view.query, mutable=True)
        asked.setlist("tag", [name if one == tag else one for one in asked.getlist("tag")])
        SavedView.objects.filter(pk=view.pk).update(query=links.filters_query(asked))


def _checked(query: str) -> str:
    """`query` without a place in the list, and the same however it is written. Raises `NotSaved`."""
    asked = QueryDict(query)
    form = CallsForm(asked)
    if not form.is_valid() or not _stay(form.cleaned_data["tag"]):
        raise NotSaved("These filters cannot be understood. Mend them first.")
    filters_query = links.filters_query(asked)
    if len(filters_query) > LONGEST_QUERY:
        raise NotSaved("These are too many filters for one view.")
    return filters_query


def _stay(tags: list[str]) -> bool:
    """Whether there are these tags still; from now on none is renamed before the transaction ends."""
    locked = Tag.objects.select_for_update(no_key=True).filter(name__in=tags).order_by("pk")
    return len(locked) == len(tags)


def _named(name: str, operator: Operator) -> SavedView | None:
    return own(operator).filter(name__lower=key_of(name)).first()


def _make(operator: Operator, **view: Any) -> SavedView:
    if own(operator).count() >= MOST_VIEWS:
        raise NotSaved(f"You have {MOST_VIEWS} views. Delete one first.")
    return SavedView.objects.create(owner=operator, **view)


@contextmanager
def _one_at_a_time(operator: Operator) -> Iterator[None]:
    """A transaction in which nobody else adds to the views of `operator` or names them."""
    with transaction.atomic():
        Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
        yield
