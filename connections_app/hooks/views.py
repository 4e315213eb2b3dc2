"""`/hooks/sift/`: Sift calls us back. No session, no cookie: the token in the address is the key."""

import logging
from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from psycopg.errors import DeadlockDetected
from psycopg_pool import PoolTimeout

from connections_app.hooks.done import answer_done
from connections_app.hooks.incoming import answer_incoming
from connections_app.hooks.receiving import Answered, Overtaken, Received, TooLarge, WrongToken, read
from connections_app.hooks.status import answer_status

logger = logging.getLogger(__name__)

Answer = Callable[[Received], Answered]
TRIES = 4


@csrf_exempt
@login_not_required
@require_POST
def status(request: HttpRequest, token: str) -> JsonResponse:
    """The state of a placed call has changed. Sift: "Create a Connection", `status_url`."""
    return _answered(request, token, answer_status)


@csrf_exempt
@login_not_required
@require_POST
def incoming(request: HttpRequest, token: str) -> JsonResponse:
    """A call comes in. Sift: `on_incoming` of an application."""
    return _answered(request, token, answer_incoming)


@csrf_exempt
@login_not_required
@require_POST
def done(request: HttpRequest, token: str) -> JsonResponse:
    """A command that asks the caller has ended. Sift: `on_done` of a command."""
    return _answered(request, token, answer_done)


def _answered(request: HttpRequest, token: str, answer: Answer) -> JsonResponse:
    try:
        answered = _answer_again(answer, read(request, token))
    except WrongToken:
        answered = Answered.refusing(404, "Not found.")
    except TooLarge:
        answered = Answered.refusing(413, "The body is too large.")
    except (OperationalError, InterfaceError, PoolTimeout, Overtaken) as problem:
        logger.error("A callback was not taken: the database does not answer (%s)", type(problem).__name__)
        answered = Answered.refusing(503, "Try again later.")
    return JsonResponse(answered.body, status=answered.status)


def _answer_again(answer: Answer, received: Received) -> Answered:
    """The answer; tried anew where something that happened at the same moment was in its way."""
    for _ in range(TRIES - 1):
        try:
            return answer(received)
        except (IntegrityError, Overtaken):
            continue
        except OperationalError as problem:
            if not isinstance(problem.__cause__, DeadlockDetected):
                raise
    return answer(received)
