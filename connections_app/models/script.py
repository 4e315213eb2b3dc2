"""Scripts: lists of commands for one call, and their steps that wait for an answer of the caller."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from connections_app.models.account import TokenDigest, new_token
from connections_app.models.connection import Connection
from connections_app.models.routine import RoutineVersion


class Origin(models.TextChoices):
    """The way in which a script was made."""

    PLACED = "placed", "Placed with the call"
    PUSHED = "pushed", "Pushed"
    HANG_UP = "hang_up", "Hang up"
    INBOUND = "inbound", "Inbound rule"
    CONTINUATION = "continuation", "Continuation"


class Script(models.Model):
    """One list of commands for one call.

    Callbacks are answered with it until `settled_at`, when the first “connected” was answered with it or it
    was set in another way, or until another script supersedes it. `offered_at` is when it was first sent to
    Sift. `versions` holds the version of each saved routine when the script was made, so that the routines
    that continue after an answer are the ones that the person saw.
    """

    connection = models.ForeignKey(
        Connection, models.CASCADE, null=True, related_name="scripts", db_index=False
    )
    origin = models.CharField(max_length=16, choices=Origin)
    name = models.CharField(max_length=100, default="", blank=True)
    version = models.ForeignKey(RoutineVersion, models.PROTECT, null=True)
    commands = models.JSONField(help_text="As Sift is sent them.")
    preview = models.TextField()
    values = models.JSONField(default=dict)
    versions = models.JSONField(default=dict)
    dials = models.BooleanField()
    confirmed = ArrayField(
        models.TextField(),
        default=list,
        help_text="What a person confirmed may be dialled although it is marked “do not call”.",
    )
    made_at = models.DateTimeField(auto_now_add=True)
    offered_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    superseded_by = models.ForeignKey("self", models.SET_NULL, null=True, related_name="superseded")
    step = models.ForeignKey("Step", models.CASCADE, null=True, related_name="continuations")

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(origin__in=Origin.values), name="script_origin_known"),
            models.UniqueConstraint(
                fields=["connection"],
                condition=models.Q(origin=Origin.INBOUND),
                name="script_inbound_once",
            ),
        )
        indexes = (
            # Scripts of placed calls that are not yet sent to Sift: few.
            models.Index(
                fields=["made_at"],
                name="script_waiting",
                condition=models.Q(
                    origin=Origin.PLACED, offered_at=None, settled_at=None, superseded_by=None
                ),
            ),
            models.Index(fields=["connection", "made_at"], name="script_timeline"),
        )

    def __str__(self) -> str:
        return self.name or self.preview


class Step(models.Model):
    """One command that waits for an answer of the caller, and the token of the callback with the answer."""

    script = models.ForeignKey(Script, models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    command = models.CharField(max_length=255)
    token = models.CharField(max_length=64, default=new_token, editable=False)
    then = models.JSONField(default=dict)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["script", "position"], name="step_once"),
            models.UniqueConstraint(TokenDigest("token"), name="step_token_once"),
        )

    def __str__(self) -> str:
        return f"{self.command}, command {self.position}"
