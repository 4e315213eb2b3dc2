"""Links to the wallboard that need no sign-in."""

from django.db import models
from django.utils import timezone

from connections_app.models.account import TokenDigest, new_token
from connections_app.models.characters import check_are_seen
from connections_app.models.operator import Operator


class WallLink(models.Model):
    """A read-only link to the wallboard: anybody with the link sees it until an administrator revokes it."""

    name = models.CharField(max_length=100, help_text="Where the wall hangs, such as “Floor 2”.")
    token = models.CharField(max_length=64, default=new_token, editable=False)
    made_by = models.ForeignKey(Operator, models.SET_NULL, null=True, editable=False)
    made_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-made_at",)
        constraints = (models.UniqueConstraint(TokenDigest("token"), name="wall_link_token_once"),)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        check_are_seen({"name": self.name})
