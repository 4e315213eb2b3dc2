"""Store a new API address for the same Sift account."""

from typing import Any

from django.core.management.base import CommandError

from connections_app.management.prepared import PreparedCommand
from connections_app.sync.account import WrongAccount, adopt_api_address


class Command(PreparedCommand):
    help = "Let this database belong to the same account at the address that SIFT_API_URL now names."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            account = adopt_api_address()
        except WrongAccount as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"This database now belongs to {account}.")
