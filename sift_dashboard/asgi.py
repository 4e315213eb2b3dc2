"""The web process's entry point."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sift_dashboard.settings")

pages = get_asgi_application()

from connections_app.hooks.asgi import Callbacks  # noqa: E402 - Django must be set up before

application = Callbacks(pages)
