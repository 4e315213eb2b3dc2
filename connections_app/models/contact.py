"""Contacts: the names that people give to numbers and clients; and imports of contacts from files."""

import uuid

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from connections_app.models.case_folding import Folded


class Contact(models.Model):
    """One number or client with its name. `endpoint` is as Sift writes it: `+14155550142`, `webrtc:ana`.

    `revision` grows with each change, so that saving an outdated form is detected.
    """

    endpoint = models.CharField(max_length=500)
    name = models.CharField(max_length=200, default="", blank=True)
    notes = models.TextField(max_length=10_000, default="", blank=True)
    do_not_call = models.BooleanField(default=False, help_text="Asked not to be called.")
    revision = models.PositiveIntegerField(default=1)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        permissions = (
            ("edit_contacts", "Can name numbers and clients, and mark who is not to be called"),
            ("allow_calling", "Can take that mark away"),
            ("import_contacts", "Can import contacts"),
        )
        constraints = (
            models.UniqueConstraint(
                Folded("endpoint"),
                name="contact_endpoint_once",
                violation_error_message="There is a contact for this number or client.",
            ),
        )
        indexes = (
            # Any part of a name, a number or a client, for the search of calls and for completion.
            GinIndex(
                OpClass("name", "gin_trgm_ops"), OpClass("endpoint", "gin_trgm_ops"), name="contact_searched"
            ),
            # The list of contacts, by name.
            models.Index(Lower("name"), "id", name="contact_order"),
            # Contacts marked “do not call”: few.
            models.Index(Lower("name"), "id", name="contact_marked", condition=models.Q(do_not_call=True)),
        )

    def __str__(self) -> str:
        return self.name or self.endpoint

    def get_absolute_url(self) -> str:
        return reverse("contact", kwargs={"pk": self.pk})


class ContactImport(models.Model):
    """The contents of a file of contacts between its dry run and its import. Only its owner sees it.

    `lines` holds a list per contact: line number, endpoint, name, notes, and whether it is marked “do not
    call” (null: not stated). `bad` holds the lines that cannot be imported, each with its reason. The import
    empties both; `result` then says how many contacts were added and changed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="contact_imports")
    file_name = models.CharField(max_length=200)
    lines = models.JSONField()
    bad = models.JSONField()
    merged = models.PositiveIntegerField(default=0)
    ignored = models.JSONField(help_text="Columns that mean nothing here.")
    uploaded_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)

    class Meta:
        indexes = (models.Index(fields=["uploaded_at"], name="contact_import_age"),)

    def __str__(self) -> str:
        return self.file_name

    def get_absolute_url(self) -> str:
        return reverse("contact_import", kwargs={"import_id": self.pk})
