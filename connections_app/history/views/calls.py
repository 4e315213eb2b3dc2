"""`/calls/`: the list."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from connections_app.history.filters import CallsForm, chips, filtered, quick_ranges
from connections_app.history.paging import BadPlace, CallsPage, page
from connections_app.models.connection import ConnectionQuerySet

COUNTED_TO = 10_000


@require_safe
def calls(request: HttpRequest) -> HttpResponse:
    """The list, as its query string asks; no calls while a filter cannot be understood."""
    form = CallsForm(request.GET)
    shown, count_words = CallsPage([], None, None), ""
    if form.is_valid():
        matching = filtered(form)
        try:
            shown = page(matching, request.GET)
            count_words = counted(matching)
        except BadPlace:
            form.add_error(
                None, "This link does not lead to a place in the list. Start from the newest calls."
            )
    context = {
        "form": form,
        "chips": chips(form, request.GET),
        "calls": shown.calls,
        "older_url": shown.older_url,
        "newer_url": shown.newer_url,
        "count_words": count_words,
        "quick": quick_ranges(request.GET, timezone.now()),
        "clear_url": "?",
        "zone": timezone.get_current_timezone_name(),
        "nothing_yet": not shown.calls
        and form.is_valid()
        and form.is_empty
        and not request.GET.get("before"),
    }
    return render(request, "history/calls.html", context)


def counted(matching: ConnectionQuerySet) -> str:
    """How many calls match, counted up to ten thousand."""
    count = matching.order_by()[: COUNTED_TO + 1].count()
    if count > COUNTED_TO:
        return f"more than {COUNTED_TO:,} calls"
    return "1 call" if count == 1 else f"{count:,} calls"
