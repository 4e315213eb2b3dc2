"""The web process's entry point."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sift_dashboard.settings")

pages = get_asgi_application()

# Django must be set up before.
from connections_app.hooks.asgi import Callbacks  # noqa: E402
from connections_app.live.events import Events  # noqa: E402

application = Callbacks(Events(pages))
