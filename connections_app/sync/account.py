"""The account that this database belongs to: claimed once, and checked before every walk."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from connections_app.models import Account

# The sandbox gets a new address at each start, but it is still the same account.
SANDBOX = "the sandbox"


class WrongAccount(Exception):
    """The settings name another account than the one whose calls this database holds."""


def claim() -> Account:
    """Assign the database to the configured account, or check that it already belongs to it.

    Raises `WrongAccount` if it belongs to another, and `ImproperlyConfigured` if no account is configured.
    """
    if not settings.SIFT_ACCOUNT_ID:
        raise ImproperlyConfigured(
            "SIFT_ACCOUNT_ID is not set; expected the id of your Sift account. "
            "Without one, start with script/run, which brings a sandbox."
        )
    ours = {"api_origin": _origin(), "account_id": settings.SIFT_ACCOUNT_ID}
    account, _ = Account.objects.get_or_create(id=1, defaults=ours)
    if (account.api_origin, account.account_id) != tuple(ours.values()):
        raise WrongAccount(
            f"This database holds the calls of {account}, but the settings name account "
            f"{settings.SIFT_ACCOUNT_ID} at {_origin()}. "
            "Either set SIFT_API_URL and SIFT_ACCOUNT_ID back, or give this account a database of its own: "
            "another DATABASE_URL, or another DATA_DIR. "
            "If the same account's API has moved to a new address, run: script/manage adopt_api_address"
        )
    return account


def adopt_api_address() -> Account:
    """Store the configured API address for the same account. Raises `WrongAccount` for another account."""
    account = Account.objects.filter(account_id=settings.SIFT_ACCOUNT_ID).first()
    if account is None:
        return claim()
    account.api_origin = _origin()
    account.save()
    return account


def _origin() -> str:
    return SANDBOX if settings.SIFT_SANDBOX else str(settings.SIFT_API_URL)
