"""The web process's entry point."""

import os
from typing import Any

from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sift_dashboard.settings")

pages = get_asgi_application()

# Django must be set up before these imports.
from connections_app.engines.database import give_up_when_away  # noqa: E402
from connections_app.engines.schema import SchemaMismatch, refuse_newer  # noqa: E402
from connections_app.hooks.asgi import Callbacks  # noqa: E402
from connections_app.live.events import Events  # noqa: E402
from connections_app.people.sign_ins import SignIns  # noqa: E402
from sift_dashboard.body_limits import Bodies  # noqa: E402
from sift_dashboard.celery import app as celery  # noqa: E402
from sift_dashboard.celery import limit_broker_waits  # noqa: E402

give_up_when_away()
limit_broker_waits(celery)
served = Bodies(Callbacks(Events(SignIns(pages))))


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Serve everything, as ASGI; do not start on a database that a newer version has changed."""
    if scope["type"] != "lifespan":
        await served(scope, receive, send)
        return
    await receive()
    try:
        await sync_to_async(refuse_newer)()
    except SchemaMismatch as problem:
        await send({"type": "lifespan.startup.failed", "message": str(problem)})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
