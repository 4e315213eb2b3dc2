"""The web process's entry point."""

import os
from threading import Thread

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sift_dashboard.settings")

application = get_asgi_application()

from connections_app.endpoints import learn_places  # noqa: E402

# The first page does not wait for it.
Thread(target=learn_places, name="places", daemon=True).start()
