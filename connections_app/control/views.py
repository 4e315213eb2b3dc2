"""Pages that place a call, show its request, and steer a live call."""

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


@require_http_methods(["GET", "HEAD", "POST"])
def place(request: SignedInRequest) -> HttpResponseBase:
    """Show the form, prefilled with `number`, `client` and `routine` of the URL; with POST, call."""
    operator = request.user
    check_may_place(operator)
    if request.method != "POST":
        return _place_page(request, _prefilled(request, operator))
    form = PlaceForm(request.POST, operator)
    sift_request = form.sift_request(request)
    made = None
    try:
        made = sift_request and (
            sift_request.existing(CallRequest)
            or (form.is_valid() and placing.place(form.order, sift_request))
        )
    except RequestConflict as problem:
        return _conflict(request, problem)
    except NotDialled as problem:
        form.refuse(problem.objections)
    return see_other(made) if made else _place_page(request, form, 422)


@require_POST
def check_place(request: SignedInRequest) -> HttpResponse:
    """Show what the form would do, while a person fills it in (htmx). Nothing is sent."""
    operator = request.user
    check_may_place(operator)
    form = PlaceForm(request.POST, operator)
    form.full_clean()
    context = {"form": form, "again": True} | _offered(form) | _callee(form)
    return render(request, "control/_checked.html", context)


@never_cache
@require_safe
def call_request(request: SignedInRequest, request_id: UUID) -> HttpResponseBase:
    """Show the outcome of a request to place a call; redirect to the call as soon as it is known."""
    requested = get_object_or_404(CallRequest.objects.select_related("connection"), request_id=request_id)
    if requested.connection:
        address = requested.connection.get_absolute_url()
        return HttpResponseClientRedirect(address) if request.htmx else redirect(address)
    template = "control/_request.html" if request.htmx else "control/request.html"
    return render(request, template, _request_context(request, requested))


@require_POST
def settle_request(request: SignedInRequest, request_id: UUID) -> HttpResponseBase:
    """Record which call, if any, an unknown request became, as the person states."""
    requested = get_object_or_404(CallRequest, request_id=request_id)
    try:
        settling.settle(requested, request.POST.get("connection_id", ""), request.user, address_of(request))
    except settling.AlreadySettled:
        messages.error(request, "This was settled meanwhile, or the call is another request's.")
    return see_other(requested)


@require_http_methods(["GET", "HEAD", "POST"])
def push_routine(request: SignedInRequest, connection_id: str) -> HttpResponseBase:
    """Show the form that sends a routine to a live call; with POST, send it."""
    operator = request.user
    call = get_object_or_404(Connection, connection_id=connection_id)
    check_may_steer(operator, call)
    if request.method != "POST":
        return _push_page(request, call, RoutineForm(None, operator, initial=_initial(request)))
    form = RoutineForm(request.POST, operator)
    sift_request = form.sift_request(request)
    pushed = None
    try:
        pushed = sift_request and (
            sift_request.existing(Push)
            or (form.is_valid() and form.script and steering.push_routine(call, form.script, sift_request))
        )
    except RequestConflict as problem:
        return _conflict(request, problem)
    except NotDialled as problem:
        form.refuse(problem.objections)
    return see_other(call) if pushed else _push_page(request, call, form, 422)


@require_POST
def check_push(request: SignedInRequest, connection_id: str) -> HttpResponse:
    """Show what the routine would do, while a person chooses it (htmx). Nothing is sent."""
    operator = request.user
    check_may_steer(operator, get_object_or_404(Connection, connection_id=connection_id))
    form = RoutineForm(request.POST, operator)
    form.full_clean()
    return render(request, "control/_checked.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def hang_up(request: SignedInRequest, connection_id: str) -> HttpResponseBase:
    """Ask for confirmation; with POST, hang up."""
    operator = request.user
    call = get_object_or_404(Connection, connection_id=connection_id)
    check_may_steer(operator, call)
    if request.method != "POST":
        return render(request, "control/hang_up.html", {"call": call, "request_id": uuid4()})
    sift_request = SiftRequest(
        operator, _request_id(request), {"hang_up": connection_id}, address_of(request)
    )
    try:
        steering.hang_up(call, sift_request, is_stale=request.POST.get("stale") == "1")
    except RequestConflict as problem:
        return _conflict(request, problem)
    if not request.htmx:
        return see_other(call)
    return _controls(request, call)


@require_POST
def check(request: SignedInRequest, connection_id: str) -> HttpResponseBase:
    """Ask Sift for the state of a call, and show its answer."""
    operator = request.user
    call = get_object_or_404(Connection, connection_id=connection_id)
    check_may_steer(operator, call)
    return _show_result(request, call, checking.check(call))


@require_http_methods(["GET", "HEAD", "POST"])
def clear(request: SignedInRequest, connection_id: str) -> HttpResponseBase:
    """Ask for confirmation; with POST, remove a call that Sift does not know from the board."""
    operator = request.user
    call = get_object_or_404(Connection, connection_id=connection_id)
    check_may_clear(operator)
    if request.method != "POST":
        return render(request, "control/clear.html", {"call": call})
    is_cleared = checking.clear(call, operator, address_of(request))
    return _show_result(request, call, "Cleared." if is_cleared else "It is not unconfirmed any more.")


def _show_result(request: SignedInRequest, call: Connection, words: str) -> HttpResponseBase:
    """Return the call's controls for htmx, else redirect to its page, with `words` as the result."""
    if request.htmx:
        return _controls(request, call, words)
    messages.info(request, words)
    return see_other(call)


def _controls(request: SignedInRequest, call: Connection, words: str = "") -> HttpResponse:
    """Return the current controls of a call, which replace the used ones (htmx)."""
    shown = shown_one(request.user, call.pk, timezone.now())
    context = shown.context() | {"request_id": uuid4(), "found_out": words}
    return render(request, "control/_controls.html", context)


def _request_id(request: SignedInRequest) -> UUID:
    """Return the form's id, which identifies a second click; a client without one sends a new request."""
    try:
        return UUID(request.POST.get("request_id", ""))
    except ValueError:
        return uuid4()


def _prefilled(request: SignedInRequest, operator: Operator) -> PlaceForm:
    """Return the form as a link opens it, checked at once, so that the callee's country is seen first."""
    initial = _initial(request)
    if not (initial["phone_number"] or initial["client_name"]):
        return PlaceForm(None, operator, initial=initial)
    form = PlaceForm(initial | {"request_id": str(uuid4())}, operator)
    form.full_clean()
    return form


def _initial(request: SignedInRequest) -> dict[str, str]:
    """Return the form's initial values from a link: a number (also `tel:`) or a client (also `webrtc:`)."""
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
    """Return the template context of the form that places calls."""
    return {
        "form": form,
        "request_id": _form_id(form),
        "country": form.operator.dials_from,
        **_offered(form),
        **_callee(form),
    }


def _push_page(
    request: SignedInRequest, call: Connection, form: RoutineForm, status: int = 200
) -> HttpResponse:
    operator = request.user
    now = timezone.now()
    context = shown_one(operator, call.pk, now).context() | {
        "form": form,
        "request_id": _form_id(form),
        "now": now,
    }
    return render(request, "control/push.html", context, status=status)


def _form_id(form: RoutineForm) -> UUID:
    """Return the form's own id if nothing was sent under it, else a new one."""
    kept = form.cleaned_data.get("request_id") if form.is_bound and hasattr(form, "cleaned_data") else None
    return kept if isinstance(kept, UUID) else uuid4()


def _offered(form: PlaceForm) -> dict[str, Any]:
    """Return the suggested callees, and the contacts that match if no valid number is typed."""
    typed = [form.data.get(name, "").strip() for name in ("phone_number", "client_name")]
    found = suggestions.found(*typed, country=form.operator.dials_from)
    offered = list(dict.fromkeys([*found, *suggestions.recent(form.operator)]))
    return {"offered": offered, "meant": found if typed[0] and "phone_number" in form.errors else []}


def _callee(form: PlaceForm) -> dict[str, Any]:
    """Return the endpoint that the form would call, if it is valid."""
    return {"whom": with_contact(endpoint_of(form.endpoint), form.contact) if form.endpoint else None}


def _request_context(request: SignedInRequest, requested: CallRequest) -> dict[str, Any]:
    operator = request.user
    now = timezone.now()
    outcome = requested.outcome_at(now)
    again = (
        _form_context(_repeated(requested, operator))
        if outcome == Outcome.REJECTED and may_place(operator)
        else {}
    )
    return again | {
        "asked": requested,
        "end": with_contact(endpoint_of(requested.endpoint), contact_of(requested.endpoint)),
        "outcome": outcome,
        "reason": requested.reason or (settling.NEVER_ANSWERED if outcome == Outcome.UNKNOWN else ""),
        "candidates": list(candidates(requested)[:10]) if outcome == Outcome.UNKNOWN else [],
        "may_settle": may_settle(operator, requested),
        "now": now,
    }


def _repeated(requested: CallRequest, operator: Operator) -> PlaceForm:
    """Return the form of an earlier request, under a new id."""
    form = PlaceForm(requested.contents | {"request_id": str(uuid4())}, operator)
    form.full_clean()
    return form


def _conflict(request: SignedInRequest, problem: RequestConflict) -> HttpResponse:
    return render(request, "control/conflict.html", {"words": str(problem)}, status=409)
