"""Shared responses of pages: statuses of errors, redirects with GET, and the queueing of work."""

import logging
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import resolve_url
from kombu.exceptions import OperationalError as BrokerAway

logger = logging.getLogger(__name__)

BAD_REQUEST, NOT_FOUND, CONFLICT, REFUSED, UNAVAILABLE = 400, 404, 409, 422, 503


class SeeOther(HttpResponseRedirect):
    """A redirect that the browser follows with GET, for any request method."""

    status_code = 303


def see_other(page: object, *args: object, query: str = "", fragment: str = "") -> SeeOther:
    """Redirect to a page with GET.

    `page` and `args` are as for `django.shortcuts.redirect`; `query` begins with `?`, `fragment` with `#`.
    """
    return SeeOther(f"{resolve_url(page, *args)}{query}{fragment}")  # type: ignore[arg-type]


def queue(request: HttpRequest, task: Any, pk: int) -> None:
    """Queue a Celery task for the row `pk`; if Valkey is unavailable, the schedule queues it later."""
    try:
        task.delay(pk)
    except BrokerAway:
        logger.warning("%s %s could not be queued: Valkey does not answer", task.name, pk)
        messages.warning(request, "It begins as soon as Valkey answers again.")
