"""The web process's entry point."""

import os

from django.core.asgi import get_asgi_application

from connections_app.hooks.turns import TakingTurns

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sift_dashboard.settings")

application = TakingTurns(get_asgi_application())
