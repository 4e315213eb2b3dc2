"""Requests of people to Sift: to place a call, or to run a routine on one. Each is sent at most once."""

from datetime import datetime

import pgtrigger
from django.db import models
from django.urls import reverse
from django.utils import timezone

from connections_app.models.account import TokenDigest, new_token
from connections_app.models.case_folding import CLIENT as CLIENT
from connections_app.models.connection import Connection
from connections_app.models.operator import Operator
from connections_app.models.script import Script


class Outcome(models.TextChoices):
    """The outcome of a request. Unknown means that Sift may or may not have done it."""

    SENDING = "sending", "Sending"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"
    UNKNOWN = "unknown", "Unknown"


class Settled(models.TextChoices):
    """The source that showed which call a request became, or that it became none."""

    ANSWER = "answer", "Sift's answer"
    CALLBACK = "callback", "A callback"
    LIST = "list", "Sift's list"
    PERSON = "person", "A person"


class Sending(models.Model):
    """One request to Sift. It is committed before it is sent, and only the process that created it may send.

    A request without an answer becomes unknown at `deadline`.
    """

    request_id = models.UUIDField(unique=True)
    digest = models.CharField(max_length=64, help_text="SHA-256 of what was asked for, and by whom.")
    contents = models.JSONField(default=dict, help_text="What was asked for, as it was sent in.")
    operator = models.ForeignKey(Operator, models.SET_NULL, null=True)
    operator_name = models.CharField(max_length=150)
    asked_at = models.DateTimeField(default=timezone.now)
    deadline = models.DateTimeField()
    outcome = models.CharField(max_length=16, choices=Outcome, default=Outcome.SENDING)
    reason = models.TextField(default="", blank=True)
    answered_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=16, choices=Settled, default="", blank=True)

    class Meta:
        abstract = True

    def outcome_at(self, now: datetime) -> Outcome:
        """Return the outcome at `now`: unknown after the deadline, even if that is not stored yet."""
        if self.outcome == Outcome.SENDING and now > self.deadline:
            return Outcome.UNKNOWN
        return Outcome(self.outcome)


class CallRequest(Sending):
    """One request to place a call, to a phone number in E.164 or to a browser client."""

    phone_number = models.CharField(max_length=20, default="", blank=True)
    client_name = models.CharField(max_length=255, default="", blank=True)
    token = models.CharField(max_length=64, default=new_token, editable=False)
    script = models.OneToOneField(Script, models.PROTECT, null=True, related_name="call_request")
    connection = models.OneToOneField(Connection, models.CASCADE, null=True, related_name="call_request")
    called_back_at = models.DateTimeField(null=True, help_text="When Sift first called its status_url.")
    looked_at = models.DateTimeField(null=True, help_text="When Sift was last asked for the new call.")

    class Meta:
        constraints = (
            models.UniqueConstraint(TokenDigest("token"), name="call_request_token_once"),
            models.CheckConstraint(
                condition=models.Q(phone_number="") ^ models.Q(client_name=""), name="call_request_to_one"
            ),
        )
        indexes = (
            # Requests without an outcome, and requests without a call: few.
            models.Index(
                fields=["deadline"], name="call_request_sending", condition=models.Q(outcome=Outcome.SENDING)
            ),
            models.Index(
                fields=["asked_at"],
                name="call_request_unbound",
                condition=models.Q(connection=None)
                & models.Q(outcome__in=[Outcome.ACCEPTED, Outcome.UNKNOWN]),
            ),
            # The latest requests, without a callback so far.
            models.Index(
                fields=["asked_at"], name="call_request_silent", condition=models.Q(called_back_at=None)
            ),
            models.Index(fields=["operator", "asked_at"], name="call_request_of_operator"),
            # The admin's list by outcome, and its search for a number or a client.
            models.Index(fields=["outcome", "id"], name="call_request_outcome"),
            models.Index(
                fields=["phone_number"], name="call_request_number", condition=~models.Q(phone_number="")
            ),
            models.Index(
                fields=["client_name"], name="call_request_client", condition=~models.Q(client_name="")
            ),
        )
        triggers = (
            # Code that changes a request's call locks the call first, as merging does.
            pgtrigger.Trigger(
                name="call_operator",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("connection_id", "operator_id"),  # type: ignore[no-untyped-call]
                func="""
                    IF TG_OP = 'UPDATE' AND OLD.connection_id IS DISTINCT FROM NEW.connection_id THEN
                        UPDATE connections_app_connection
                        SET operator_id = sift_operator_on_the_line(from_endpoint, to_endpoint)
                        WHERE id = OLD.connection_id;
                    END IF;
                    UPDATE connections_app_connection SET operator_id = NEW.operator_id
                    WHERE id = NEW.connection_id AND operator_id IS DISTINCT FROM NEW.operator_id;
                    RETURN NULL;
                """,
            ),
        )

    def __str__(self) -> str:
        return f"call to {self.endpoint}"

    def get_absolute_url(self) -> str:
        return reverse("call_request", kwargs={"request_id": self.request_id})

    @property
    def endpoint(self) -> str:
        """Return the endpoint as Sift writes it: `+14155550142`, `webrtc:ana`."""
        return self.phone_number or f"{CLIENT}{self.client_name}"


class Push(Sending):
    """One request to run a script on a call: a routine, a hang-up, or the script of a call without callbacks.

    A script that would dial a “do not call” number with nobody there to confirm it is rejected, never sent.
    """

    class Kind(models.TextChoices):
        ROUTINE = "routine", "Routine"
        HANG_UP = "hang_up", "Hang-up"
        FALLBACK = "fallback", "Script of a call without callbacks"
        NOT_DIALLED = "not_dialled", "Script that would have dialled what is marked"

    kind = models.CharField(max_length=16, choices=Kind)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="pushes")
    script = models.ForeignKey(Script, models.PROTECT, related_name="pushes")

    class Meta:
        verbose_name_plural = "pushes"
        indexes = (
            models.Index(
                fields=["deadline"], name="push_sending", condition=models.Q(outcome=Outcome.SENDING)
            ),
            # The admin's list by outcome.
            models.Index(fields=["outcome", "id"], name="push_outcome"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} for {self.connection_id}"
