"""The request as the views of signed-in people have it; `SignInRequiredMiddleware` lets no other through."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from connections_app.models import Operator


class SignedInRequest(HttpRequest):
    """A type for annotations only: Django's request, with its person and what htmx says of it.

    `htmx` is true where htmx asks for a fragment of the page.
    """

    user: Operator
    htmx: HtmxDetails
