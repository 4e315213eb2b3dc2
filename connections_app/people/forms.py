"""The forms for signing in and for a person's own preferences."""

import zoneinfo
from functools import cache
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from connections_app.models import Operator
from connections_app.web.concurrency import Busy


class SignInForm(AuthenticationForm):
    """Name and password; the error does not reveal which of the two was wrong."""

    error_messages = {
        "invalid_login": "The name or the password is not right. Both are told apart by capital letters.",
        "inactive": "This account is switched off. Ask an administrator.",
    }
    is_busy = False

    def clean(self) -> dict[str, Any]:
        """Look the person up. Sets `is_busy`, and raises, if too many others are signing in."""
        try:
            return super().clean()
        except Busy as busy:
            self.is_busy = True
            raise forms.ValidationError(str(busy)) from busy


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]
    """A person's time zone, country and theme."""

    class Meta:
        model = Operator
        fields = ("time_zone", "country", "theme")


@cache
def zones() -> tuple[str, ...]:
    """Return the zones to offer: those named after a place, and UTC. Other known names are accepted too."""
    places = (name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))
    return ("UTC", *sorted(places))
