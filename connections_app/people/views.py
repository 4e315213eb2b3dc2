"""`/accounts/`: signing in and out, a person's own preferences, and the columns that they see."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.forms import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from connections_app.columns import List, NoSuchColumn, show
from connections_app.models import Operator
from connections_app.people.forms import PreferencesForm, SignInForm, zones

SEE_OTHER = 303
PAGES = {List.CALLS: "calls", List.LIVE: "board"}


class SignIn(LoginView):
    """A name and a password, then on to `next` when that is one of our own pages."""

    authentication_form = SignInForm
    redirect_authenticated_user = True


@method_decorator(login_not_required, name="dispatch")
class SignOut(LogoutView):
    """Ends the session, and is content when there is none."""


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """The person's own time zone, country and theme; what is not sent stays as it is."""
    # A fresh copy, so that a value that is refused does not colour the rest of the page.
    operator = Operator.objects.get(pk=cast(Operator, request.user).pk)
    sent = model_to_dict(operator, PreferencesForm.Meta.fields) | request.POST.dict()
    form = PreferencesForm(sent if request.POST else None, instance=operator)
    if request.method == "POST" and form.is_valid():
        form.save()
        if "next" not in request.POST:
            messages.success(request, "Saved.")
        return _done(request, "preferences")
    status = 422 if form.errors else 200
    return render(
        request,
        "people/preferences.html",
        {"form": form, "zones": zones(), "default_country": settings.DEFAULT_COUNTRY},
        status=status,
    )


@require_POST
def columns(request: HttpRequest) -> HttpResponse:
    """Keep which columns of `list` are `shown`; back to `next`, or nothing to read for htmx."""
    try:
        of = show(cast(Operator, request.user), request.POST.get("list", ""), request.POST.getlist("shown"))
    except NoSuchColumn as problem:
        return HttpResponse(str(problem), status=422, content_type="text/plain; charset=utf-8")
    return _done(request, PAGES[of])


def _done(request: HttpRequest, page: str) -> HttpResponse:
    """On to `next` where that is one of our own pages, else to `page`; htmx is on its page already."""
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(status=204)
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    return HttpResponse(status=SEE_OTHER, headers={"Location": wanted if is_ours else resolve_url(page)})
