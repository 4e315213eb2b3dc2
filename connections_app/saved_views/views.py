"""`/v/`: saved views, each with a short link."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connections_app.call_list.filters import FilterChoices
from connections_app.call_list.links import described
from connections_app.models import SavedView
from connections_app.saved_views import saving
from connections_app.saved_views.forms import ViewForm
from connections_app.web.request import SignedInRequest
from connections_app.web.responses import NOT_FOUND, REFUSED, see_other


@require_http_methods(["GET", "HEAD", "POST"])
def views(request: SignedInRequest) -> HttpResponse:
    """Show the views that the person may use; save one on POST, over the view with code `replace`."""
    if request.method == "POST":
        return _save(request)
    return _list(request)


@require_safe
def saved_view(request: SignedInRequest, code: str) -> HttpResponse:
    """Redirect to the list with the filters of the view."""
    view = SavedView.objects.open_to(request.user).filter(code=code).first()
    if view is None:
        return render(request, "saved_views/view_gone.html", status=NOT_FOUND)
    return see_other(f"{reverse('calls')}?{view.query}")


@require_http_methods(["GET", "HEAD", "POST"])
def change_view(request: SignedInRequest, code: str) -> HttpResponse:
    """Show the form that renames and shares one's own view; change it on POST."""
    view = get_object_or_404(saving.own(request.user), code=code)
    if request.method != "POST":
        form = ViewForm(None, initial={"name": view.name, "is_shared": view.is_shared})
        return _change_page(request, view, form)
    form = ViewForm(request.POST)
    if form.is_valid():
        try:
            saving.change(view, form.cleaned_data["name"], form.cleaned_data["is_shared"])
            return see_other("views")
        except saving.NameTaken as problem:
            form.add_error("name", str(problem))
    return _change_page(request, view, form, REFUSED)


@require_POST
def delete_view(request: SignedInRequest, code: str) -> HttpResponse:
    """Delete one's own view, and offer to restore it. A second click does nothing."""
    view = saving.own(request.user).filter(code=code).first()
    if view is None:
        return see_other("views")
    return _list(request, deleted=view.name, signed=saving.delete(view))


@require_POST
def restore_view(request: SignedInRequest) -> HttpResponse:
    """Restore a deleted view."""
    try:
        saving.restore(request.POST.get("view", ""), request.user)
    except saving.NotSaved as problem:
        return _list(request, status=REFUSED, problem=str(problem))
    return see_other("views")


def _save(request: SignedInRequest) -> HttpResponse:
    form, query, taken = ViewForm(request.POST), request.POST.get("query", ""), None
    if form.is_valid():
        name, is_shared = form.cleaned_data["name"], form.cleaned_data["is_shared"]
        replacing = request.POST.get("replace", "")
        try:
            view = saving.save(name, query, is_shared, request.user, replacing=replacing)
            return _to_the_list(request, view)
        except saving.NotSaved as problem:
            form.add_error("name", str(problem))
            taken = problem.view if isinstance(problem, saving.NameTaken) else None
    context = {"view_form": form, "filters_query": query, "taken": taken, "described": described(query)}
    template = "saved_views/_save_view.html" if request.htmx else "saved_views/save_view.html"
    return render(request, template, context, status=REFUSED)


def _to_the_list(request: SignedInRequest, view: SavedView) -> HttpResponse:
    address = f"{reverse('calls')}?{view.query}"
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": address})
    return see_other(address)


def _list(request: SignedInRequest, status: int = 200, **more: Any) -> HttpResponse:
    operator, offers = request.user, FilterChoices()
    shown = [_shown(request, view, offers) for view in SavedView.objects.open_to(operator)]
    context = {
        "own": [one for one in shown if one["view"].owner_id == operator.pk],
        "shared": [one for one in shown if one["view"].owner_id != operator.pk],
    }
    return render(request, "saved_views/views.html", context | more, status=status)


def _shown(request: SignedInRequest, view: SavedView, offers: FilterChoices) -> dict[str, Any]:
    link = request.build_absolute_uri(view.get_absolute_url())
    return {"view": view, "described": described(view.query, offers), "link": link}


def _change_page(
    request: SignedInRequest, view: SavedView, form: ViewForm, status: int = 200
) -> HttpResponse:
    context = {"view": view, "view_form": form, "described": described(view.query)}
    return render(request, "saved_views/view.html", context, status=status)
