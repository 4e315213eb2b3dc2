"""The Sift account whose calls this database holds."""

import secrets

from django.db import models


class TokenDigest(models.Func):
    """SHA-256 of a token. A lookup by digest does not leak parts of the token through its timing."""

    template = "sha256(%(expressions)s::bytea)"
    output_field = models.BinaryField()


def new_token() -> str:
    """Return a random token of 256 bits that is safe in a URL."""
    return secrets.token_urlsafe(32)


class Account(models.Model):
    """One row: the API origin and account id that this database belongs to."""

    api_origin = models.TextField()
    account_id = models.TextField()
    claimed_at = models.DateTimeField(auto_now_add=True)
    incoming_token = models.CharField(max_length=64, default=new_token, editable=False)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="account_only_one"),)

    def __str__(self) -> str:
        return f"account {self.account_id} at {self.api_origin}"
