"""Save named filters and sort orders of the list, for one person or for everybody."""

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

MAX_VIEWS = 100
LONGEST_QUERY = 4000
SALT = "a deleted view"


class NotSaved(ValueError):
    """The view cannot be saved; `str()` is the reason."""


class NameTaken(NotSaved):
    """The person already has a view of this name, `view`."""

    def __init__(self, view: SavedView) -> None:
        super().__init__(f"You have a view “{view.name}” already.")
        self.view = view


def own(operator: Operator) -> QuerySet[SavedView]:
    """Return the views that `operator` owns."""
    return SavedView.objects.filter(owner=operator)


def save(name: str, query: str, is_shared: bool, operator: Operator, *, replacing: str = "") -> SavedView:
    """Save the filters of `query`, a list's query string; saving the same again returns the same view.

    A different view of this name is overwritten only if its code is `replacing`. Raises `NotSaved`.
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
    """Rename `view`, and share it or stop sharing it. Raises `NameTaken`."""
    with _one_at_a_time(view.owner):
        same = _named(name, view.owner)
        if same and same.pk != view.pk:
            raise NameTaken(same)
        SavedView.objects.filter(pk=view.pk).update(name=name, is_shared=is_shared, changed_at=timezone.now())


def delete(view: SavedView) -> str:
    """Delete `view`. Returns the signed text with which `restore` undoes it."""
    deleted = {"code": view.code, "name": view.name, "query": view.query, "is_shared": view.is_shared}
    SavedView.objects.filter(pk=view.pk).delete()
    return signing.dumps(deleted | {"owner": view.owner_id}, salt=SALT)


def restore(signed: str, operator: Operator) -> SavedView:
    """Restore a view that `operator` deleted, with the same link. Raises `NotSaved`."""
    try:
        deleted = signing.loads(signed, salt=SALT)
    except signing.BadSignature:
        raise NotSaved("What was deleted cannot be told.") from None
    if deleted.pop("owner") != operator.pk:
        raise NotSaved("This was somebody else's view.")
    with _one_at_a_time(operator):
        if existing := own(operator).filter(code=deleted["code"]).first():
            return existing
        if same := _named(deleted["name"], operator):
            raise NameTaken(same)
        return _make(operator, **deleted)


def views_with_tag(tag: str) -> list[SavedView]:
    """Return the views, of all owners, that filter by this tag."""
    likely = SavedView.objects.filter(query__contains=urlencode({"tag": tag})).order_by("pk")
    return [view for view in likely if tag in QueryDict(view.query).getlist("tag")]


def rename_tag(tag: str, name: str) -> None:
    """Replace `tag` with `name` in all views, in the transaction that renames the tag."""
    for view in views_with_tag(tag):
        query = QueryDict(view.query, mutable=True)
        query.setlist("tag", [name if one == tag else one for one in query.getlist("tag")])
        SavedView.objects.filter(pk=view.pk).update(query=links.filters_query(query))


def _checked(query: str) -> str:
    """Return `query` in normal form, without its place in the list. Raises `NotSaved`."""
    parameters = QueryDict(query)
    form = CallsForm(parameters)
    if not form.is_valid() or not _lock_tags(form.cleaned_data["tag"]):
        raise NotSaved("These filters cannot be understood. Mend them first.")
    filters_query = links.filters_query(parameters)
    if len(filters_query) > LONGEST_QUERY:
        raise NotSaved("These are too many filters for one view.")
    return filters_query


def _lock_tags(tags: list[str]) -> bool:
    """Lock these tags against renaming until the transaction ends. Returns True if all of them exist."""
    locked = Tag.objects.select_for_update(no_key=True).filter(name__in=tags).order_by("pk")
    return len(locked) == len(tags)


def _named(name: str, operator: Operator) -> SavedView | None:
    return own(operator).filter(name__lower=key_of(name)).first()


def _make(operator: Operator, **view: Any) -> SavedView:
    if own(operator).count() >= MAX_VIEWS:
        raise NotSaved(f"You have {MAX_VIEWS} views. Delete one first.")
    return SavedView.objects.create(owner=operator, **view)


@contextmanager
def _one_at_a_time(operator: Operator) -> Iterator[None]:
    """Open a transaction in which nobody else adds or renames views of `operator`."""
    with transaction.atomic():
        Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
        yield
