"""The same holds for the pages of the admin."""

from collections.abc import Callable

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group
from django.db.models import Model
from playwright.sync_api import Page

from connections_app.admin.read_only import ReadOnlyAdmin
from connections_app.models import (
    InboundRule,
    Operator,
)
from tests.browser.states import (
    MARKS,
    State,
)

pytestmark = MARKS

Open = Callable[..., Page]
SignIn = Callable[..., Page]


@pytest.mark.parametrize("address", ["/admin/{folder}/", "/admin/{row}/change/"])
def test_the_admin_where_it_is_read(
    open_page: Open, sign_in: SignIn, keys: dict[str, object], check: Callable[..., None], address: str
) -> None:
    read_only = [model for model in site._registry if is_read_only(model)]
    pages = [address.format(folder=folder(model), row=last(model)) for model in read_only]
    check(sign_in(open_page()), in_admin(["/admin/", *pages]))


def test_the_admin_where_things_are_managed(
    open_page: Open, sign_in: SignIn, keys: dict[str, object], check: Callable[..., None]
) -> None:
    pages = ["password_change/", f"{last(Operator)}/password/", f"{last(Operator)}/history/"]
    pages += [f"{last(model)}/delete/" for model in (Group, InboundRule, Operator)]
    # Whoever is on record cannot be deleted.
    pages += [f"{folder(Operator)}/{keys['administrator']}/delete/"]
    for model in [model for model in site._registry if not is_read_only(model)]:
        pages += [f"{folder(model)}/", f"{folder(model)}/add/", f"{last(model)}/change/"]
    check(sign_in(open_page()), in_admin([f"/admin/{page}" for page in pages]))


def in_admin(pages: list[str]) -> list[State]:
    return [State(page, page, "Log out") for page in pages]


def is_read_only(model: type[Model]) -> bool:
    return isinstance(site._registry[model], ReadOnlyAdmin)


def folder(model: type[Model]) -> str:
    return f"{model._meta.app_label}/{model._meta.model_name}"


def last(model: type[Model]) -> str:
    """The address of the model's newest row; each has one."""
    newest = model._default_manager.order_by("pk").last()
    assert newest is not None, model
    return f"{folder(model)}/{newest.pk}"
