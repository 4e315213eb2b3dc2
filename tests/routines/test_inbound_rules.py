"""The rules that answer calls which come in: each can be read at a glance, and none can fail to answer."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from connections_app.admin.inbound import conditions, endpoint_pattern
from connections_app.models import InboundRule, Operator, Role, Routine
from tests.routines.conftest import MakeRoutine

pytestmark = pytest.mark.django_db

ADMIN = "/admin/connections_app/inboundrule/"


@pytest.fixture
def administrator(client: Client, make_operator: Callable[..., Operator]) -> Client:
    operator = make_operator("root", Role.ADMINISTRATOR, is_staff=True, time_zone="Europe/Berlin")
    client.force_login(operator)
    return client


def form(routine: Routine, **fields: Any) -> dict[str, Any]:
    typed: dict[str, Any] = {
        "name": "Office hours",
        "rank": 5,
        "is_active": "on",
        "to_endpoint": "",
        "from_endpoint": "",
        "days": [],
        "opens": "",
        "closes": "",
        "time_zone": "Europe/Berlin",
        "routine": routine.pk,
    }
    return typed | fields


def errors(answer: Any) -> dict[str, list[str]]:
    return dict(answer.context["adminform"].form.errors)


def test_a_rule_is_made(administrator: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    typed = form(routine, to_endpoint="+1 415 555 0100", days=["5", "1"], opens="09:00", closes="17:00")
    assert administrator.post(f"{ADMIN}add/", typed).status_code == 302
    rule = InboundRule.objects.get(name="Office hours")
    assert (rule.to_endpoint, rule.days, rule.time_zone) == ("+14155550100", "15", "Europe/Berlin")
    assert conditions(rule) == "to +14155550100, Monday, Friday, 09:00 to 17:00 in Europe/Berlin"


def test_it_is_read_again_as_it_was_made(administrator: Client, make_routine: MakeRoutine) -> None:
    rule = InboundRule.objects.create(name="Weekend", days="67", routine=make_routine())
    page = administrator.get(f"{ADMIN}{rule.pk}/change/").content.decode()
    assert page.count("checked") == 3
    assert '<option value="UTC" selected>' in page


def test_all_days_are_every_day(administrator: Client, make_routine: MakeRoutine) -> None:
    administrator.post(f"{ADMIN}add/", form(make_routine(), days=list("1234567")))
    assert InboundRule.objects.get(name="Office hours").days == ""


def test_the_list_is_in_the_order_in_which_rules_are_tried(
    administrator: Client, make_routine: MakeRoutine
) -> None:
    for name, rank in (("Second", 20), ("First", 10)):
        InboundRule.objects.create(name=name, rank=rank, routine=make_routine(name))
    page = administrator.get(ADMIN).content.decode()
    assert page.index("First") < page.index("Second") < page.index("every call that no other rule matches")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        (" +14155550100 ", "+14155550100"),
        ("+1 (415) 555-0100", "+14155550100"),
        ("+4930*", "+4930*"),
        ("+49 30*", "+4930*"),
        ("webrtc:ana", "webrtc:ana"),
        ("ana", "ana"),
        ("webrtc:sales-*", "webrtc:sales-*"),
        ("webrtc:", ""),
    ],
)
def test_an_endpoint_is_a_number_a_client_or_its_beginning(typed: str, kept: str) -> None:
    assert endpoint_pattern(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "*",
        "+1*55",
        "**",
        "4155550100",
        "+0123456",
        "+1",
        "+*",
        "+12345678901234567*",
        "two words",
        "a\u200bb",
    ],
)
def test_what_could_never_match_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        endpoint_pattern(typed)


@pytest.mark.parametrize(
    ("fields", "where", "words"),
    [
        ({"to_endpoint": "4155550100"}, "to_endpoint", "with + and the country's code"),
        ({"from_endpoint": "a\x00b"}, "from_endpoint", "Null characters are not allowed"),
        ({"opens": "09:00"}, "__all__", "Give both times of day, or neither."),
        ({"opens": "09:00", "closes": "09:00"}, "closes", "leave both empty"),
        ({"days": ["8"]}, "days", "8 is not one of the available choices"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "not one of the available choices"),
        ({"name": ""}, "name", "required"),
    ],
)
def test_what_is_wrong_is_said_where_it_is(
    administrator: Client, make_routine: MakeRoutine, fields: dict[str, Any], where: str, words: str
) -> None:
    answer = administrator.post(f"{ADMIN}add/", form(make_routine(), **fields))
    found = errors(answer)
    assert list(found) == [where]
    assert words in found[where][0]


def test_its_routine_must_be_published(administrator: Client, make_routine: MakeRoutine) -> None:
    answer = administrator.post(f"{ADMIN}add/", form(make_routine(publish=False)))
    assert "routine" in errors(answer)


def test_its_routine_must_not_be_archived(administrator: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    Routine.objects.filter(pk=routine.pk).update(archived_at="2026-11-01T00:00Z")
    assert "routine" in errors(administrator.post(f"{ADMIN}add/", form(routine)))


def test_nobody_is_there_to_fill_in_placeholders(administrator: Client, make_routine: MakeRoutine) -> None:
    """Neither in the routine, nor in one that may go on after it."""
    last = make_routine("Last", [{"name": "Say", "text": "Hello {{ customer }}"}])
    asks = [{"name": "GetDigits", "count": 1, "then": {"any": last.pk}}]
    middle = make_routine("Middle", asks)
    first = make_routine("First", [{"name": "GetDigits", "count": 1, "then": {"1": middle.pk}}])
    answer = administrator.post(f"{ADMIN}add/", form(first))
    assert "fill in customer" in errors(answer)["routine"][0]


def test_the_default_only_changes_its_routine(administrator: Client, make_routine: MakeRoutine) -> None:
    default = InboundRule.objects.get(is_default=True)
    routine = make_routine()
    address = f"{ADMIN}{default.pk}/change/"
    assert administrator.post(address, {"routine": routine.pk}).status_code == 302
    administrator.post(address, form(routine, name="Mine", is_active="", to_endpoint="ana", days=["1"]))
    changed = InboundRule.objects.get(pk=default.pk)
    assert changed.routine == routine
    assert (changed.name, changed.is_active, changed.to_endpoint, changed.days, changed.is_default) == (
        default.name,
        True,
        "",
        "",
        True,
    )


def test_the_default_cannot_be_deleted(administrator: Client) -> None:
    default = InboundRule.objects.get(is_default=True)
    assert administrator.post(f"{ADMIN}{default.pk}/delete/", {"post": "yes"}).status_code == 403
    administrator.post(ADMIN, {"action": "delete_selected", "_selected_action": default.pk, "post": "yes"})
    assert InboundRule.objects.filter(pk=default.pk).exists()


def test_any_other_can(administrator: Client, make_routine: MakeRoutine) -> None:
    rule = InboundRule.objects.create(name="Weekend", routine=make_routine())
    assert administrator.post(f"{ADMIN}{rule.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not InboundRule.objects.filter(pk=rule.pk).exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "every call"),
        ({"from_endpoint": "+49*"}, "from +49*"),
        ({"days": "12345"}, "Monday to Friday in UTC"),
        ({"days": "17"}, "Monday, Sunday in UTC"),
        ({"opens": "22:00", "closes": "06:00"}, "22:00 to 06:00 the next day in UTC"),
    ],
)
def test_conditions_are_written_in_words(
    make_routine: MakeRoutine, fields: dict[str, Any], words: str
) -> None:
    rule = InboundRule.objects.create(name="One", routine=make_routine(), **fields)
    rule.refresh_from_db()
    assert conditions(rule) == words


@pytest.mark.parametrize("model", ["routine", "routineversion"])
def test_routines_are_only_read_in_the_admin(
    administrator: Client, make_routine: MakeRoutine, model: str
) -> None:
    Operator.objects.update(is_superuser=True)
    routine = make_routine()
    pk = routine.pk if model == "routine" else routine.published_id
    address = f"/admin/connections_app/{model}/"
    assert administrator.get(address).status_code == 200
    assert administrator.get(f"{address}{pk}/change/").status_code == 200
    assert administrator.post(f"{address}{pk}/change/", {"name": "x"}).status_code == 403
    assert administrator.get(f"{address}add/").status_code == 403
    assert administrator.post(f"{address}{pk}/delete/", {"post": "yes"}).status_code == 403
