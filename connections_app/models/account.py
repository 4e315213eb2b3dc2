"""The Sift account whose calls this database holds."""

from django.db import models


class Account(models.Model):
    """One row: the API origin and account id that this database belongs to."""

    api_origin = models.TextField()
    account_id = models.TextField()
    claimed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="account_only_one"),)

    def __str__(self) -> str:
        return f"account {self.account_id} at {self.api_origin}"
