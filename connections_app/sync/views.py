"""`/sync/`: is the sync healthy, what has it done, and the buttons that steer it."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from kombu.exceptions import OperationalError as BrokerAway

from connections_app import freshness, setting_aside
from connections_app.addresses import incoming_address, status_address
from connections_app.announcing import announce
from connections_app.models import (
    Account,
    Action,
    CallRequest,
    KeptAside,
    Operator,
    SyncState,
    Verb,
    Walk,
)
from connections_app.reachability import reachability
from connections_app.recording import address_of, record
from connections_app.sync import tasks
from connections_app.sync.walk import want_full_walk

WALKS_SHOWN = 20
KEPT_ASIDE_SHOWN = 50

steers_sync = permission_required("connections_app.run_sync", raise_exception=True)


@never_cache
@require_safe
def show_sync(request: HttpRequest) -> HttpResponse:
    """The whole page, or for htmx the part of it that changes."""
    template = "sync/_walks.html" if request.htmx else "sync/sync.html"  # type: ignore[attr-defined]
    return render(request, template, _context(request))


@require_POST
@steers_sync
def sync_now(request: HttpRequest) -> HttpResponse:
    return _queued(request, lambda: tasks.sync.delay(request.user.get_username()))


@require_POST
@steers_sync
def sync_full(request: HttpRequest) -> HttpResponse:
    def queue() -> None:
        want_full_walk()
        tasks.sync.delay(request.user.get_username())

    return _queued(request, queue)


@require_POST
@steers_sync
def sync_pause(request: HttpRequest) -> HttpResponse:
    SyncState.objects.filter(paused_at=None).update(
        paused_at=timezone.now(), paused_by=request.user.get_username()
    )
    announce()
    return redirect("sync")


@require_POST
@steers_sync
def sync_resume(request: HttpRequest) -> HttpResponse:
    SyncState.objects.update(paused_at=None, paused_by="")
    announce()
    return _queued(request, lambda: tasks.sync.delay())


@require_POST
@steers_sync
def kept_aside_retry(request: HttpRequest) -> HttpResponse:
    changes = setting_aside.try_again()
    became = len(changes.created) + len(changes.updated)
    left = KeptAside.objects.count()
    messages.info(request, f"{became} became calls; {left} could still not be used.")
    return redirect("sync")


@require_POST
@permission_required("connections_app.see_addresses", raise_exception=True)
def show_addresses(request: HttpRequest) -> HttpResponse:
    """The addresses that Sift calls back, in full; on record, since who knows one can make calls up."""
    operator = cast(Operator, request.user)
    record(
        Verb.SHOW_ADDRESS,
        Action.Phase.OUTCOME,
        operator,
        address=address_of(request),
        outcome="Shown on the page of the sync.",
    )
    account, latest = Account.objects.first(), CallRequest.objects.order_by("-id").first()
    context = {
        "incoming": incoming_address(account.incoming_token) if account else "",
        "status": status_address(latest.token) if latest else "",
        "reach": reachability(timezone.now()),
        "now": timezone.now(),
    }
    return render(request, "sync/addresses.html", context)


def _queued(request: HttpRequest, queue: Any) -> HttpResponseRedirect:
    """Queue a walk, or say that the queue is away."""
    try:
        queue()
    except BrokerAway:
        messages.error(
            request,
            "The walk could not be queued: Valkey does not answer. The schedule goes on when it is back.",
        )
    return redirect("sync")


def _context(request: HttpRequest) -> dict[str, Any]:
    state = SyncState.objects.get()
    now = timezone.now()
    walks = list(Walk.objects.all()[:WALKS_SHOWN])
    return {
        "health": {
            "state": freshness.health_of(state, now),
            "sentence": freshness.sentence(state, now),
            "since": state.failing_since or state.fresh_at,
        },
        "state": state,
        "running": next((walk for walk in walks if walk.state == Walk.State.RUNNING), None),
        "walks": walks,
        "kept_aside": list(KeptAside.objects.all()[:KEPT_ASIDE_SHOWN]),
        "kept_aside_count": KeptAside.objects.count(),
        "can_run": request.user.has_perm("connections_app.run_sync"),
        "account": "the sandbox" if settings.SIFT_SANDBOX else settings.SIFT_ACCOUNT_ID,
        "interval": settings.SYNC_INTERVAL_SECONDS,
        "reach": reachability(now),
        "now": now,
    }
