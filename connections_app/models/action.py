"""The audit log of what people did: rows are only added, never changed or deleted, except by a purge."""

import pgtrigger
from django.db import models


class Verb(models.TextChoices):
    PLACE = "place", "Place a call"
    PUSH = "push", "Send a routine"
    HANG_UP = "hang_up", "Hang up"
    NOT_DIALLED = "not_dialled", "Refuse to dial"
    SETTLE = "settle", "Settle an unknown request"
    CLEAR = "clear", "Clear a call that Sift does not know"
    SHARE_WALL = "share_wall", "Make a link to the wallboard"
    REVOKE_WALL = "revoke_wall", "Revoke a link to the wallboard"
    SHOW_ADDRESS = "show_address", "Look at a callback address"
    PUBLISH = "publish", "Publish a routine"
    ARCHIVE = "archive", "Archive a routine"
    EXPORT = "export", "Export calls"
    TAG = "tag", "Tag calls"
    UNTAG = "untag", "Take a tag off calls"
    UNDO_TAGGING = "undo_tagging", "Undo a tagging of many calls"
    CHANGE_TAG = "change_tag", "Make, change or delete a tag"
    CONTACT = "contact", "Change a contact"
    IMPORT_CONTACTS = "import_contacts", "Import contacts"
    PURGE = "purge", "Purge old actions"


class Action(models.Model):
    """One audit entry: the intent of an action, written before its effect, or its outcome.

    Names and ids are plain values, so that a row outlives the objects that it names.
    """

    class Phase(models.TextChoices):
        INTENT = "intent", "Asked for"
        OUTCOME = "outcome", "Outcome"

    at = models.DateTimeField(auto_now_add=True)
    verb = models.CharField(max_length=16, choices=Verb)
    phase = models.CharField(max_length=16, choices=Phase)
    actor_id = models.BigIntegerField(
        null=True, help_text="The operator's id; empty for the dashboard itself."
    )
    actor = models.CharField(max_length=150)
    address = models.GenericIPAddressField(null=True, help_text="From where.")
    connection_id = models.CharField(max_length=255, default="", help_text="The call's id at Sift.")
    subject = models.CharField(max_length=255, default="", help_text="The request or thing acted on.")
    payload = models.JSONField(default=dict)
    outcome = models.TextField(default="")

    class Meta:
        indexes = (
            models.Index(fields=["connection_id", "at"], name="action_of_call"),
            models.Index(fields=["actor_id", "at"], name="action_of_person"),
            models.Index(fields=["at"], name="action_order"),
            models.Index(fields=["subject"], name="action_of_subject"),
            # The admin's list of one kind of action; people act seldom, so writes are cheap.
            models.Index(fields=["verb", "at"], name="action_of_verb"),
        )
        triggers = (
            pgtrigger.Trigger(
                name="only_added",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate,
                func="""
                    IF TG_OP = 'DELETE' AND current_setting('sift.purge', true) = 'on' THEN
                        RETURN NULL;
                    END IF;
                    RAISE EXCEPTION 'the record of actions is only added to (%)', TG_OP;
                """,
            ),
        )

    def __str__(self) -> str:
        return f"{self.actor}: {self.get_verb_display()}"
