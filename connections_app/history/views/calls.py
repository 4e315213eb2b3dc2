"""`/calls/`: the list."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from connections_app.history import links, reading
from connections_app.history.filters import CallsForm, filtered, order_of
from connections_app.history.paging import BadPlace, CallsPage, Page
from connections_app.naming import name_ends


@require_safe
def calls(request: HttpRequest) -> HttpResponse:
    """The list, as its query string asks; no calls while a filter cannot be understood."""
    form, now = CallsForm(request.GET), timezone.now()
    shown, count, is_slow = CallsPage([]), None, False
    if form.is_valid():
        matching = filtered(form)
        try:
            page = Page.asked(order_of(form), request.GET)
            shown = page.made_of(reading.rows_of(page, matching), request.GET)
            count = reading.count(matching)
        except BadPlace:
            form.add_error(
                None, "This link does not lead to a place in the list. Start from the newest calls."
            )
        except reading.TooSlow:
            is_slow = True
    name_ends(shown.calls)
    context = {
        "form": form,
        "chips": links.chips(form, request.GET),
        "calls": shown.calls,
        "next_url": shown.next_url,
        "previous_url": shown.previous_url,
        "count": count,
        "is_slow": is_slow,
        "quick": links.quick_ranges(request.GET, now),
        "sorts": links.sorts(request.GET),
        "clear_url": "?",
        "zone": timezone.get_current_timezone_name(),
        "nothing_yet": not shown.calls and form.is_valid() and form.is_empty and "below" not in request.GET,
    }
    return render(request, "history/calls.html", context)
