from django.apps import AppConfig


class ConnectionsAppConfig(AppConfig):
    name = "connections_app"
    verbose_name = "Sift"
