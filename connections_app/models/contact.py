"""Contacts: the names that people give to numbers and clients."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse


class Contact(models.Model):
    """One number or client with its name. `endpoint` is as Sift writes it: `+14155550142`, `webrtc:ana`.

    `revision` grows with each change, so that who saves an older one is told.
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
                Lower("endpoint"),
                name="contact_endpoint_once",
                violation_error_message="There is a contact for this number or client.",
            ),
        )
        indexes = (
            # Any part of a name, for the search of calls and for completion.
            GinIndex(OpClass("name", "gin_trgm_ops"), name="contact_name"),
            # The list of contacts, by name.
            models.Index(Lower("name"), "id", name="contact_order"),
        )

    def __str__(self) -> str:
        return self.name or self.endpoint

    def get_absolute_url(self) -> str:
        return reverse("contact", kwargs={"pk": self.pk})
