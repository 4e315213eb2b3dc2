"""`/hooks/sift/`: Sift calls us back. No session, no cookie: the token in the address is the key.

The web process answers POSTs in hooks/asgi.py; other methods, and callbacks on other servers, come here.
"""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from connections_app.hooks.dispatch import answer_callback
from connections_app.hooks.received import MAX_BODY_BYTES, Received


@csrf_exempt
@login_not_required
@require_POST
def callback(request: HttpRequest, kind: str, token: str) -> JsonResponse:
    """Answer a callback of `kind`."""
    answered = answer_callback(kind, Received(token, request.read(MAX_BODY_BYTES + 1)))
    return JsonResponse(answered.body, status=answered.status, headers=answered.headers)
