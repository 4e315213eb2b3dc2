"""The Celery application: periodic and slow work, on a short and a long queue."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sift_dashboard.settings")

app = Celery("sift_dashboard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["connections_app.sync", "connections_app.control", "connections_app.history"])
