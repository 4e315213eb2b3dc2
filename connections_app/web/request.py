"""The type of requests in views for signed-in people, which `SignInRequiredMiddleware` enforces."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from connections_app.models import Operator


class SignedInRequest(HttpRequest):
    """Django's request with its operator, for annotations only. `htmx` is true for a fragment."""

    user: Operator
    htmx: HtmxDetails
