"""`/accounts/`: signing in and out, and a person's own preferences."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

from connections_app.models import Operator
from connections_app.people.forms import PreferencesForm, SignInForm, zones


class SignIn(LoginView):
    """A name and a password, then on to `next` when that is one of our own pages."""

    authentication_form = SignInForm
    redirect_authenticated_user = True


@method_decorator(login_not_required, name="dispatch")
class SignOut(LogoutView):
    """Ends the session, and is content when there is none."""


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """The person's own time zone and theme."""
    # A fresh copy, so that a value that is refused does not colour the rest of the page.
    operator = Operator.objects.get(pk=cast(Operator, request.user).pk)
    form = PreferencesForm(request.POST or None, instance=operator)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("preferences")
    status = 422 if form.errors else 200
    return render(
        request,
        "people/preferences.html",
        {"form": form, "zones": zones(), "default_country": settings.DEFAULT_COUNTRY},
        status=status,
    )
