"""Placing a call, its request's page, and steering a live one."""

from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from connections_app.access.permissions import (
    check_may_clear,
    check_may_place,
    check_may_steer,
    may_place,
    may_settle,
)
from connections_app.audit.log import address_of
from connections_app.calls.call_state import shown_one
from connections_app.calls.contact_lookup import contact_of
from connections_app.calls.dialling import NotDialled
from connections_app.calls.endpoints import endpoint_of, with_contact
from connections_app.calls.request_matching import candidates
from connections_app.control import checking, placing, settling, steering, suggestions
from connections_app.control.forms import PlaceForm, RoutineForm
from connections_app.control.requests import RequestConflict, SiftRequest
from connections_app.models import CallRequest, Connection, Operator, Outcome, Push
from connections_app.models.requests import CLIENT
from connections_app.sift.numbers import number_from_url
from connections_app.web.request import SignedInRequest
from connections_app.web.responses import see_other

# A redirect that is followed by GET, whatever the request was.


@require_http_methods(["GET", "HEAD", "POST"])
def place(request: SignedInRequest) -> HttpResponseBase:
    """The form, and with POST the call. `number`, `client` and `routine` in the query fill it in."""
    operator = request.user
    check_may_place(operator)
    if request.method != "POST":
        return _place_page(request, _opened(request, operator))
    form = PlaceForm(request.POST, operator)
    asked = form.asked(request)
    made = None
    try:
        made = asked and (asked.before(CallRequest) or (form.is_valid() and placing.place(form.order, asked)))
    except RequestConflict as problem:
        return _conflict(request, problem)
    except NotDialled as problem:
        form.refuse(problem.objections)
    return see_other(made) if made else _place_page(request, form, 422)


@require_POST
def check_place(request: SignedInRequest) -> HttpResponse:
    """What the form would do as it stands: for htmx, while it is filled in. Nothing is sent."""
    operator = request.user
    check_may_place(operator)
    form = PlaceForm(request.POST, operator)
    form.full_clean()
    context = {"form": form, "again": True} | _offered(form) | _whom(form)
    return render(request, "control/_checked.html", context)


@never_cache
@require_safe
def call_request(request: SignedInRequest, request_id: UUID) -> HttpResponseBase:
    """What became of a request to place a call; leads on to the call as soon as it is known."""
    asked = get_object_or_404(CallRequest.objects.select_related("connection"), request_id=request_id)
    if asked.connection:
        address = asked.connection.get_absolute_url()
        return HttpResponseClientRedirect(address) if request.htmx else redirect(address)
    template = "control/_request.html" if request.htmx else "control/request.html"
    return render(request, template, _request_context(request, asked))


@require_POST
def settle_request(request: SignedInRequest, request_id: UUID) -> HttpResponseBase:
    """A person says which call an unknown request became, or that it became none."""
    asked = get_object_or_404(CallRequest, request_id=request_id)
    try:
        settling.settle(asked, request.POST.get("connection_id", ""), request.user, address_of(request))
    except settling.AlreadySettled:
        messages.error(request, "This was settled meanwhile, or the call is another request's.")
    return see_other(asked)


@require_http_methods(["GET", "HEAD", "POST"])
def push_routine(request: SignedInRequest, connection_id: str) -> HttpResponseBase:
    """The form that sends a routine to a live call, and with POST the sending."""
    operator = request.user
    call = get_object_or_404(Connection, connection_id=connection_id)
    check_may_steer(operator, call)
    if request.method != "POST":
        return _push_page(request, call, RoutineForm(None, operator, initial=_wished(request)))
    form = RoutineForm(request.POST, operator)
    asked = form.asked(request)
    pushed = None
    try:
        pushed = asked and (
            asked.before(Push)
            or (form.is_valid() and form.wanted and steering.push_routine(call, form.wanted, asked))
        )
    except RequestConflict as problem:
        return _conflict(request, problem)
    except NotDialled as problem:
        form.refuse(problem.objections)
    return see_other(call) if pushed else _push_page(request, call, form, 422)


@require_POST
def check_push(request: SignedInRequest, connection_id: str) -> HttpResponse:
    """What the routine would do as it stands: for htmx, while it is chosen. Nothing is sent."""
    operator = request.user
    check_may_steer(operator, get_object_or_404(Connection, connection_id=connection_id))
    form = RoutineForm(request.POST, operator)
    form.full_clean()
    return render(request, "control/_checked.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def hang_up(request: SignedInRequest, connection_id: str) -> HttpResponseBase:
    """The question whether to hang up, and with POST the hanging up."""
    operator = request.user
    call = get_object_or_404(Connection, connection_id=connection_id)
    check_may_steer(operator, call)
    if request.method != "POST":
        return render(request, "control/hang_up.html", {"call": call, "request_id": uuid4()})
    asked = SiftRequest(operator, _request_id(request), {"hang_up": connection_id}, address_of(request))
    try:
        steering.hang_up(call, asked, is_stale=request.POST.get("stale") == "1")
    except RequestConflict as problem:
        return _conflict(request, problem)
    if not request.htmx:
        return see_other(call)
    return _controls(request, call)


@require_POST
def check(request: SignedInRequest, connection_id: str) -> HttpResponseBase:
    """Ask Sift how a call stands, and say what it answered."""
    operator = request.user
    call = get_object_or_404(Connection, connection_id=connection_id)
    check_may_steer(operator, call)
    return _told(request, call, checking.check(call))


@require_http_methods(["GET", "HEAD", "POST"])
def clear(request: SignedInRequest, connection_id: str) -> HttpResponseBase:
    """The question whether to take a call off the board that Sift does not know, and with POST the taking."""
    operator = request.user
    call = get_object_or_404(Connection, connection_id=connection_id)
    check_may_clear(operator)
    if request.method != "POST":
        return render(request, "control/clear.html", {"call": call})
    is_cleared = checking.clear(call, operator, address_of(request))
    return _told(request, call, "Cleared." if is_cleared else "It is not unconfirmed any more.")


def _told(request: SignedInRequest, call: Connection, words: str) -> HttpResponseBase:
    """The call's controls for htmx, else its page, with what was found out."""
    if request.htmx:
        return _controls(request, call, words)
    messages.info(request, words)
    return see_other(call)


def _controls(request: SignedInRequest, call: Connection, words: str = "") -> HttpResponse:
    """A call's controls as they stand now: for htmx, in the place of those that were used."""
    shown = shown_one(request.user, call.pk, timezone.now())
    context = shown.context() | {"request_id": uuid4(), "found_out": words}
    return render(request, "control/_controls.html", context)


def _request_id(request: SignedInRequest) -> UUID:
    """The form's id, by which a second click is known; a client without one asks anew each time."""
    try:
        return UUID(request.POST.get("request_id", ""))
    except ValueError:
        return uuid4()


def _opened(request: SignedInRequest, operator: Operator) -> PlaceForm:
    """The form as a link opens it: whom it would call is read at once, so that its country is seen first."""
    wished = _wished(request)
    if not (wished["phone_number"] or wished["client_name"]):
        return PlaceForm(None, operator, initial=wished)
    form = PlaceForm(wished | {"request_id": str(uuid4())}, operator)
    form.full_clean()
    return form


def _wished(request: SignedInRequest) -> dict[str, str]:
    """What a link asks the form to begin with: a number, also as in `tel:`, or a client, also `webrtc:`."""
    operator = request.user
    number = number_from_url(request.GET.get("number", ""), operator.dials_from)
    client = request.GET.get("client", "").replace("\x00", "")
    if number.lower().startswith(CLIENT):
        number, client = "", number[len(CLIENT) :]
    return {"phone_number": number, "client_name": client, "routine": request.GET.get("routine", "")}


def _place_page(request: SignedInRequest, form: PlaceForm, status: int = 200) -> HttpResponse:
    context = {
        "only_here": not settings.PUBLIC_URL and not settings.SIFT_SANDBOX,
        "submitted": request.method == "POST",
    }
    return render(request, "control/place.html", context | _form_context(form), status=status)


def _form_context(form: PlaceForm) -> dict[str, Any]:
    """What the form that places calls is shown with."""
    return {
        "form": form,
        "request_id": _kept_id(form),
        "country": form.operator.dials_from,
        **_offered(form),
        **_whom(form),
    }


def _push_page(
    request: SignedInRequest, call: Connection, form: RoutineForm, status: int = 200
) -> HttpResponse:
    operator = request.user
    now = timezone.now()
    context = shown_one(operator, call.pk, now).context() | {
        "form": form,
        "request_id": _kept_id(form),
        "now": now,
    }
    return render(request, "control/push.html", context, status=status)


def _kept_id(form: RoutineForm) -> UUID:
    """The form's own id while nothing was sent under it; a new form has a new one."""
    kept = form.cleaned_data.get("request_id") if form.is_bound and hasattr(form, "cleaned_data") else None
    return kept if isinstance(kept, UUID) else uuid4()


def _offered(form: PlaceForm) -> dict[str, Any]:
    """Whom the form offers, and the contacts among them who are meant where no number is typed."""
    typed = [form.data.get(name, "").strip() for name in ("phone_number", "client_name")]
    found = suggestions.found(*typed, country=form.operator.dials_from)
    offered = list(dict.fromkeys([*found, *suggestions.recent(form.operator)]))
    return {"offered": offered, "meant": found if typed[0] and "phone_number" in form.errors else []}


def _whom(form: PlaceForm) -> dict[str, Any]:
    """The endpoint that the form would call, once it can be told."""
    return {"whom": with_contact(endpoint_of(form.endpoint), form.contact) if form.endpoint else None}


def _request_context(request: SignedInRequest, asked: CallRequest) -> dict[str, Any]:
    operator = request.user
    now = timezone.now()
    outcome = asked.outcome_at(now)
    again = (
        _form_context(_again(asked, operator)) if outcome == Outcome.REJECTED and may_place(operator) else {}
    )
    return again | {
        "asked": asked,
        "end": with_contact(endpoint_of(asked.endpoint), contact_of(asked.endpoint)),
        "outcome": outcome,
        "reason": asked.reason or (settling.NEVER_ANSWERED if outcome == Outcome.UNKNOWN else ""),
        "candidates": list(candidates(asked)[:10]) if outcome == Outcome.UNKNOWN else [],
        "may_settle": may_settle(operator, asked),
        "now": now,
    }


def _again(asked: CallRequest, operator: Operator) -> PlaceForm:
    """The form of a request as it was, under an id of its own."""
    form = PlaceForm(asked.contents | {"request_id": str(uuid4())}, operator)
    form.full_clean()
    return form


def _conflict(request: SignedInRequest, problem: RequestConflict) -> HttpResponse:
    return render(request, "control/conflict.html", {"words": str(problem)}, status=409)
