"""`/calls/`: the list, the options of its long menus, and the suggestions of the search box."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from connections_app.call_list import links, menus, time_limits
from connections_app.call_list.filters import CallsForm, Sort, filtered, is_short, order_of
from connections_app.call_list.paging import CallsPage, Page
from connections_app.call_list.rows import rows_of
from connections_app.call_list.suggestions import suggest
from connections_app.models import SavedView
from connections_app.web.concurrency import Slot
from connections_app.web.paging import BadPlace
from connections_app.web.request import SignedInRequest

# The labels of the links to the previous and the next page, by the order of the list.
PAGE_LABELS = {
    Sort.NEWEST: ("Newer", "Older"),
    Sort.OLDEST: ("Older", "Newer"),
    Sort.LONGEST: ("Longer", "Shorter"),
    Sort.SHORTEST: ("Shorter", "Longer"),
}


@require_safe
def calls(request: SignedInRequest) -> HttpResponse:
    """Show the list for its query string; no calls if a filter is not valid."""
    form = CallsForm(request.GET, country=request.user.dials_from)
    shown, count, is_slow = CallsPage([]), None, False
    if form.is_valid():
        matching = filtered(form)
        slot = Slot(request.user.pk)
        try:
            page = Page.from_query(order_of(form), request.GET)
            shown = page.calls_page(time_limits.calls_on(page, matching), request.GET)
            is_all = not (shown.next_url or shown.previous_url)
            count = (
                time_limits.Count(len(shown.calls), is_exact=True) if is_all else time_limits.count(matching)
            )
        except BadPlace:
            form.add_error(
                None, "This link does not lead to a place in the list. Start from the newest calls."
            )
        except time_limits.TooSlow:
            is_slow = True
        finally:
            slot.release()
    context = {
        "form": form,
        "rows": rows_of(shown.calls),
        "next_url": shown.next_url,
        "previous_url": shown.previous_url,
        "count": count,
        "is_slow": is_slow,
        "zone": timezone.get_current_timezone_name(),
        "nothing_yet": not shown.calls and form.is_valid() and form.is_empty and "below" not in request.GET,
    }
    return render(request, "call_list/calls.html", context | _filters(form, request) | _views(request))


@require_safe
def choices(request: SignedInRequest, name: str) -> HttpResponse:
    """Show all options of a long menu: as a list for htmx, else as a page."""
    if name not in menus.LABELS:
        raise Http404
    query = request.GET.copy()
    context = {
        "name": name,
        "label": menus.LABELS[name],
        "many": menus.MANY[name],
        "options": menus.every_option(name, query),
        "others": [pair for pair in links.pairs_of(query) if pair[0] != name],
    }
    return render(request, f"call_list/{'_options' if request.htmx else 'choices'}.html", context)


@never_cache
@require_safe
def search_calls(request: SignedInRequest) -> HttpResponse:
    """Show the suggestions of the search box for `q` (htmx)."""
    if "q" not in request.GET:
        raise Http404
    suggested = suggest(request.GET["q"], request.user)
    return render(request, "call_list/_suggestions.html", {"suggested": suggested, "now": timezone.now()})


def _filters(form: CallsForm, request: SignedInRequest) -> dict[str, Any]:
    query = request.GET
    text, sorts = query.get("q", "").strip(), links.sorts(query)
    sort = next((one for one in sorts if one.is_active), sorts[0])
    return {
        "chips": links.chips(form, query),
        "menus": menus.row(form),
        "countries": menus.countries(form),
        "beyond": menus.set_beyond_the_row(query),
        "when_words": menus.when_words(query),
        "quick": links.quick_ranges(query),
        "tighter": links.narrower_ranges(query),
        "sorts": sorts,
        "sort": sort,
        **links.headings(query),
        "beside": PAGE_LABELS[Sort(sort.value)],
        "clear_url": "?" if sort.value == Sort.NEWEST else f"?sort={sort.value}",
        "filters_query": links.filters_query(query),
        "is_short": bool(text) and is_short(text),
    }


def _views(request: SignedInRequest) -> dict[str, Any]:
    """Return the saved views, the operator's own first, and the one that is shown."""
    operator, filters_query = request.user, links.filters_query(request.GET)
    views = sorted(SavedView.objects.open_to(operator), key=lambda view: view.owner_id != operator.pk)
    present = next((view for view in views if view.query == filters_query), None) if filters_query else None
    return {"saved_views": views, "present_view": present}
