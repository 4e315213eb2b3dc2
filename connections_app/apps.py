from django.apps import AppConfig
from django.db.models.signals import m2m_changed, pre_delete, pre_save
from django.urls import register_converter


class ConnectionsAppConfig(AppConfig):
    name = "connections_app"
    verbose_name = "Sift"

    def ready(self) -> None:
        """Register URL converters, staff status by role, and the protection of people who are on record."""
        from connections_app.audit import references
        from connections_app.models import Operator
        from connections_app.people import roles
        from connections_app.web.callback_urls import TokenConverter

        register_converter(TokenConverter, "token")

        m2m_changed.connect(roles.set_staff_by_role, sender=Operator.groups.through)
        pre_save.connect(roles.open_admin_to_superusers, sender=Operator)
        pre_delete.connect(references.prevent_deletion, sender=Operator)
