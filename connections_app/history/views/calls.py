"""`/calls/`: the list, and what its longer menus offer."""

from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from connections_app.history import links, menus, reading, saving
from connections_app.history.filters import CallsForm, Sort, filtered, is_short, order_of
from connections_app.history.paging import BadPlace, CallsPage, Page
from connections_app.history.rows import rows_of
from connections_app.history.views.answering import is_htmx
from connections_app.models import Operator

# What leads to the calls after these, and to those before, by the order of the list.
BESIDE = {
    Sort.NEWEST: ("Newer", "Older"),
    Sort.OLDEST: ("Older", "Newer"),
    Sort.LONGEST: ("Longer", "Shorter"),
    Sort.SHORTEST: ("Shorter", "Longer"),
}


@require_safe
def calls(request: HttpRequest) -> HttpResponse:
    """The list, as its query string asks; no calls while a filter cannot be understood."""
    form = CallsForm(request.GET)
    shown, count, is_slow = CallsPage([]), None, False
    if form.is_valid():
        matching = filtered(form)
        try:
            page = Page.asked(order_of(form), request.GET)
            shown = page.made_of(reading.calls_on(page, matching), request.GET)
            is_all = not (shown.next_url or shown.previous_url)
            count = reading.Count(len(shown.calls), is_exact=True) if is_all else reading.count(matching)
        except BadPlace:
            form.add_error(
                None, "This link does not lead to a place in the list. Start from the newest calls."
            )
        except reading.TooSlow:
            is_slow = True
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
    return render(request, "history/calls.html", context | _filters(form, request) | _views(request))


@require_safe
def choices(request: HttpRequest, name: str) -> HttpResponse:
    """All that a long menu offers: a list for htmx, and a page where there are no scripts."""
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
    return render(request, f"history/{'_options' if is_htmx(request) else 'choices'}.html", context)


def _filters(form: CallsForm, request: HttpRequest) -> dict[str, Any]:
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
        "tighter": links.tighter(query),
        "sorts": sorts,
        "sort": sort,
        **links.headings(query),
        "beside": BESIDE[Sort(sort.value)],
        "clear_url": "?" if sort.value == Sort.NEWEST else f"?sort={sort.value}",
        "standing": links.standing(query),
        "is_short": bool(text) and is_short(text),
    }


def _views(request: HttpRequest) -> dict[str, Any]:
    """The saved views, one's own first, and the one that is looked at."""
    operator, standing = cast(Operator, request.user), links.standing(request.GET)
    views = sorted(saving.open_to(operator), key=lambda view: view.owner_id != operator.pk)
    present = next((view for view in views if view.query == standing), None) if standing else None
    return {"saved_views": views, "present_view": present}
