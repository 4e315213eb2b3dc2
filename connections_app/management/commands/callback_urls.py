"""Print the callback addresses to give to Sift."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from connections_app.audit.log import record
from connections_app.management.prepared import PreparedCommand
from connections_app.models import Account, Action, Verb
from connections_app.web.callback_urls import incoming_address, status_address

PLACEHOLDER = "<a token of each call's own>"


class Command(PreparedCommand):
    help = "Print the addresses that Sift is to call back. Whoever knows one can tell of calls that are none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--incoming", action="store_true", help="only the one for calls that come in")

    def handle(self, *args: Any, **options: Any) -> None:
        account = Account.objects.first()
        if account is None:
            raise CommandError("This database belongs to no account yet. Run: script/manage prepare")
        record(Verb.SHOW_ADDRESS, Action.Phase.OUTCOME, None, subject="incoming", outcome="On a terminal.")
        incoming = incoming_address(account.incoming_token)
        if options["incoming"]:
            self.stdout.write(incoming)
            return
        self.stdout.write(f"Incoming calls (set it as the application's on_incoming): {incoming}")
        example = status_address("x" * 43).replace("x" * 43, PLACEHOLDER)
        self.stdout.write(f"Status of placed calls (sent with each call):             {example}")
        if not settings.PUBLIC_URL:
            self.stdout.write("PUBLIC_URL is not set, so only this machine can call these back.")
