"""`/sync/`: the health of the sync, its latest walks, and the buttons that control it."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from kombu.exceptions import OperationalError as BrokerAway

from connections_app.access.permissions import may_run_sync, may_see_addresses
from connections_app.audit.log import address_of, record
from connections_app.calls import freshness, unusable_rows
from connections_app.calls.notify import announce
from connections_app.calls.reachability import reachability
from connections_app.models import (
    Account,
    Action,
    CallRequest,
    SyncState,
    UnusableRow,
    Verb,
    Walk,
)
from connections_app.sync import tasks
from connections_app.sync.walk import want_full_walk
from connections_app.web.callback_urls import incoming_address, status_address
from connections_app.web.request import SignedInRequest, only_if

WALKS_SHOWN = 20
UNUSABLE_SHOWN = 50

steers_sync = only_if(may_run_sync)


@never_cache
@require_safe
def show_sync(request: SignedInRequest) -> HttpResponse:
    """Render the page, or for htmx only the part that changes."""
    template = "sync/_walks.html" if request.htmx else "sync/sync.html"
    return render(request, template, _context(request))


@require_POST
@steers_sync
def sync_now(request: SignedInRequest) -> HttpResponse:
    """Queue a walk of the recent calls."""
    return _queued(request, lambda: tasks.sync.delay(request.user.get_username()))


@require_POST
@steers_sync
def sync_full(request: SignedInRequest) -> HttpResponse:
    """Queue a full walk."""

    def queue() -> None:
        want_full_walk()
        tasks.sync.delay(request.user.get_username())

    return _queued(request, queue)


@require_POST
@steers_sync
def sync_pause(request: SignedInRequest) -> HttpResponse:
    """Pause the scheduled sync."""
    SyncState.objects.filter(paused_at=None).update(
        paused_at=timezone.now(), paused_by=request.user.get_username()
    )
    announce()
    return redirect("sync")


@require_POST
@steers_sync
def sync_resume(request: SignedInRequest) -> HttpResponse:
    """Resume the scheduled sync and queue a walk."""
    SyncState.objects.update(paused_at=None, paused_by="")
    announce()
    return _queued(request, lambda: tasks.sync.delay())


@require_POST
@steers_sync
def retry_unusable_rows(request: SignedInRequest) -> HttpResponse:
    """Try to store the unusable rows again."""
    changes = unusable_rows.retry_unusable()
    became = len(changes.created) + len(changes.updated)
    left = UnusableRow.objects.count()
    messages.info(request, f"{became} became calls; {left} could still not be used.")
    return redirect("sync")


@require_POST
@only_if(may_see_addresses)
def show_addresses(request: SignedInRequest) -> HttpResponse:
    """Show the full callback addresses, and record it: anybody with an address can report false calls."""
    operator = request.user
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


def _queued(request: SignedInRequest, queue: Any) -> HttpResponseRedirect:
    """Call `queue`, or show a message if the broker does not answer."""
    try:
        queue()
    except BrokerAway:
        messages.error(
            request,
            "The walk could not be queued: Valkey does not answer. The schedule goes on when it is back.",
        )
    return redirect("sync")


def _context(request: SignedInRequest) -> dict[str, Any]:
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
        "unusable_rows": list(UnusableRow.objects.all()[:UNUSABLE_SHOWN]),
        "unusable_count": UnusableRow.objects.count(),
        "can_run": may_run_sync(request.user),
        "account": "the sandbox" if settings.SIFT_SANDBOX else settings.SIFT_ACCOUNT_ID,
        "interval": settings.SYNC_INTERVAL_SECONDS,
        "reach": reachability(now),
        "now": now,
    }
