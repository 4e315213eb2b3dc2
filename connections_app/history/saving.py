"""Saved views: the filters and the order of the list under a name, for one person or for all."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core import signing
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.http import QueryDict
from django.utils import timezone

from connections_app.history import links
from connections_app.history.filters import CallsForm
from connections_app.models import Operator, SavedView

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


def open_to(operator: Operator) -> QuerySet[SavedView]:
    """The views that `operator` may use, by name: their own, and what others share. One query."""
    views = SavedView.objects.filter(Q(owner=operator) | Q(is_shared=True)).select_related("owner")
    return views.order_by(Lower("name"), "pk")


def own(operator: Operator) -> QuerySet[SavedView]:
    return SavedView.objects.filter(owner=operator)


def save(name: str, query: str, is_shared: bool, operator: Operator) -> SavedView:
    """Keep what `query` asks of the list; a second time the same is the same view. Raises `NotSaved`."""
    standing = _checked(query)
    with _one_at_a_time(operator):
        if same := own(operator).filter(name__iexact=name).first():
            if (same.query, same.is_shared) == (standing, is_shared):
                return same
            raise NameTaken(same)
        if own(operator).count() >= MOST_VIEWS:
            raise NotSaved(f"You have {MOST_VIEWS} views. Delete one first.")
        return SavedView.objects.create(name=name, query=standing, is_shared=is_shared, owner=operator)


def replace(view: SavedView, query: str, is_shared: bool) -> None:
    """Let `view` be what `query` asks from now on. Raises `NotSaved`."""
    standing = _checked(query)
    _own_row(view).update(query=standing, is_shared=is_shared, changed_at=timezone.now())


def change(view: SavedView, name: str, is_shared: bool) -> None:
    """Rename `view`, and share it or keep it to its owner. Raises `NameTaken`."""
    with _one_at_a_time(view.owner):
        if same := own(view.owner).filter(name__iexact=name).exclude(pk=view.pk).first():
            raise NameTaken(same)
        _own_row(view).update(name=name, is_shared=is_shared, changed_at=timezone.now())


def delete(view: SavedView) -> str:
    """Delete `view`. What `put_back` needs, signed."""
    kept = {"code": view.code, "name": view.name, "query": view.query, "is_shared": view.is_shared}
    _own_row(view).delete()
    return signing.dumps(kept | {"owner": view.owner_id}, salt=SALT)


def put_back(signed: str, operator: Operator) -> SavedView:
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
        if same := own(operator).filter(name__iexact=kept["name"]).first():
            raise NameTaken(same)
        if own(operator).count() >= MOST_VIEWS:
            raise NotSaved(f"You have {MOST_VIEWS} views. Delete one first.")
        return SavedView.objects.create(**kept, owner=operator)


def _checked(query: str) -> str:
    asked = QueryDict(query)
    if not CallsForm(asked).is_valid():
        raise NotSaved("These filters cannot be understood. Mend them first.")
    standing = links.standing(asked)
    if len(standing) > LONGEST_QUERY:
        raise NotSaved("These are too many filters for one view.")
    return standing


def _own_row(view: SavedView) -> QuerySet[SavedView]:
    return SavedView.objects.filter(pk=view.pk)


@contextmanager
def _one_at_a_time(operator: Operator) -> Iterator[None]:
    """A transaction in which nobody else adds to the views of `operator` or names them."""
    with transaction.atomic():
        Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
        yield
