"""`/accounts/`: sign-in, sign-out, a person's own preferences, and the columns of their lists."""

import unicodedata

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView, redirect_to_login
from django.forms import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from connections_app.models import Operator
from connections_app.people.forms import PreferencesForm, SignInForm, zones
from connections_app.people.middleware import RETRY_AFTER, UNAVAILABLE
from connections_app.web.columns import List, NoSuchColumn, show
from connections_app.web.request import SignedInRequest
from connections_app.web.responses import SeeOther

PAGES = {List.CALLS: "calls", List.LIVE: "board"}


class SignIn(LoginView):
    """Sign in with name and password, then redirect to `next` if that is one of our own pages."""

    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        sent = self.request.GET.dict() | self.request.POST.dict()
        return own_page(self.request, str(sent.get(self.redirect_field_name, "")))

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        answer = super().form_invalid(form)
        if isinstance(form, SignInForm) and form.is_busy:
            answer.status_code = UNAVAILABLE
            answer.headers["Retry-After"] = RETRY_AFTER
        return answer


@login_not_required
def admin_login(request: HttpRequest) -> HttpResponse:
    """Redirect to the sign-in page; people who are signed in, but may not open the admin, get 403 and why."""
    if request.user.is_authenticated:
        return render(request, "people/no_admin.html", status=403)
    return redirect_to_login(request.GET.get("next") or reverse("admin:index"))


@method_decorator(login_not_required, name="dispatch")
class SignOut(LogoutView):
    """End the session, if there is one."""


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: SignedInRequest) -> HttpResponse:
    """Show or save the person's time zone, country and theme; fields that are not sent keep their value."""
    # A copy, so that an invalid value does not affect the rest of the page.
    operator = Operator.objects.get(pk=request.user.pk)
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
def columns(request: SignedInRequest) -> HttpResponse:
    """Save which columns of `list` are `shown`; redirect to `next`, or answer htmx with 204."""
    try:
        of = show(request.user, request.POST.get("list", ""), request.POST.getlist("shown"))
    except NoSuchColumn as problem:
        return HttpResponse(str(problem), status=422, content_type="text/plain; charset=utf-8")
    return _done(request, PAGES[of])


def _done(request: SignedInRequest, page: str) -> HttpResponse:
    """Redirect to `next` if that is one of our own pages, else to `page`; answer htmx with 204."""
    if request.htmx:
        return HttpResponse(status=204)
    return SeeOther(own_page(request, request.POST.get("next", "")) or resolve_url(page))


def own_page(request: HttpRequest, address: str) -> str:
    """Return `address` encoded for a Location header; empty if it is not one of our own pages."""
    is_ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, request.is_secure())
    if not is_ours or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in address):
        return ""
    return iri_to_uri(address)
