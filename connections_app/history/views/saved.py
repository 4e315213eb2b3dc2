"""`/v/`: saved views, each with its short link."""

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connections_app.history import saving
from connections_app.history.filters import Offers
from connections_app.history.forms import ViewForm
from connections_app.history.links import described
from connections_app.history.views.answering import REFUSED, is_htmx, see
from connections_app.models import Operator, SavedView

NOT_FOUND = 404


@require_http_methods(["GET", "HEAD", "POST"])
def views(request: HttpRequest) -> HttpResponse:
    """The views that one may use; with POST one more; with `replace`, the view of that
    code is given other filters."""
    if request.method == "POST":
        return _save(request)
    return _list(request)


@require_safe
def saved_view(request: HttpRequest, code: str) -> HttpResponse:
    """On to the list, as the view asks for it."""
    view = saving.open_to(_operator(request)).filter(code=code).first()
    if view is None:
        return render(request, "history/view_gone.html", status=NOT_FOUND)
    return see(f"{reverse('calls')}?{view.query}")


@require_http_methods(["GET", "HEAD", "POST"])
def change_view(request: HttpRequest, code: str) -> HttpResponse:
    """The form that renames and shares one's own view, and with POST the change."""
    view = get_object_or_404(saving.own(_operator(request)), code=code)
    if request.method != "POST":
        form = ViewForm(None, initial={"name": view.name, "is_shared": view.is_shared})
        return _change_page(request, view, form)
    form = ViewForm(request.POST)
    if form.is_valid():
        try:
            saving.change(view, form.cleaned_data["name"], form.cleaned_data["is_shared"])
            return see("views")
        except saving.NameTaken as problem:
            form.add_error("name", str(problem))
    return _change_page(request, view, form, REFUSED)


@require_POST
def delete_view(request: HttpRequest, code: str) -> HttpResponse:
    """Delete one's own view, and offer to put it back. A second click finds it gone."""
    view = saving.own(_operator(request)).filter(code=code).first()
    if view is None:
        return see("views")
    return _list(request, deleted=view.name, signed=saving.delete(view))


@require_POST
def put_view_back(request: HttpRequest) -> HttpResponse:
    """Undo a deleting."""
    try:
        saving.put_back(request.POST.get("view", ""), _operator(request))
    except saving.NotSaved as problem:
        return _list(request, status=REFUSED, problem=str(problem))
    return see("views")


def _save(request: HttpRequest) -> HttpResponse:
    form, query, taken = ViewForm(request.POST), request.POST.get("query", ""), None
    if form.is_valid():
        name, is_shared = form.cleaned_data["name"], form.cleaned_data["is_shared"]
        replacing = request.POST.get("replace", "")
        try:
            view = saving.save(name, query, is_shared, _operator(request), replacing=replacing)
            return _to_the_list(request, view)
        except saving.NotSaved as problem:
            form.add_error("name", str(problem))
            taken = problem.view if isinstance(problem, saving.NameTaken) else None
    context = {"view_form": form, "standing": query, "taken": taken, "described": described(query)}
    template = "history/_save_view.html" if is_htmx(request) else "history/save_view.html"
    return render(request, template, context, status=REFUSED)


def _to_the_list(request: HttpRequest, view: SavedView) -> HttpResponse:
    address = f"{reverse('calls')}?{view.query}"
    if is_htmx(request):
        return HttpResponse(headers={"HX-Redirect": address})
    return see(address)


def _list(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    operator, offers = _operator(request), Offers()
    shown = [_shown(request, view, offers) for view in saving.open_to(operator)]
    context = {
        "own": [one for one in shown if one["view"].owner_id == operator.pk],
        "shared": [one for one in shown if one["view"].owner_id != operator.pk],
    }
    return render(request, "history/views.html", context | more, status=status)


def _shown(request: HttpRequest, view: SavedView, offers: Offers) -> dict[str, Any]:
    link = request.build_absolute_uri(view.get_absolute_url())
    return {"view": view, "described": described(view.query, offers), "link": link}


def _change_page(request: HttpRequest, view: SavedView, form: ViewForm, status: int = 200) -> HttpResponse:
    context = {"view": view, "view_form": form, "described": described(view.query)}
    return render(request, "history/view.html", context, status=status)


def _operator(request: HttpRequest) -> Operator:
    return cast(Operator, request.user)
