"""How the views of history answer: fragments for htmx, redirects that are followed by GET, and work begun."""

import logging
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from kombu.exceptions import OperationalError as BrokerAway

logger = logging.getLogger(__name__)

SEE_OTHER = 303
REFUSED = 422


def is_htmx(request: HttpRequest) -> bool:
    return bool(request.htmx)  # type: ignore[attr-defined]


def see(page: object, *args: object, anchor: str = "") -> HttpResponse:
    """On to a page, whatever the request was."""
    address = f"{resolve_url(page, *args)}{anchor}"  # type: ignore[arg-type]
    return HttpResponse(status=SEE_OTHER, headers={"Location": address})


def queue(request: HttpRequest, task: Any, pk: int) -> None:
    """Have the work with this key done. What cannot be queued now, the schedule queues later."""
    try:
        task.delay(pk)
    except BrokerAway:
        logger.warning("%s %s could not be queued: Valkey does not answer", task.name, pk)
        messages.warning(request, "It begins as soon as Valkey answers again.")
