"""Connections: the calls between Sift and a phone or browser."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import quote

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from django.db.models.lookups import IContains
from django.urls import reverse

from connections_app.models.case_folding import folded


class Status(models.TextChoices):
    """Sift's statuses, in the order in which a call passes through them."""

    CONNECTING = "connecting", "Connecting"
    CONNECTED = "connected", "Connected"
    FAILED = "failed", "Failed"
    FINISHED = "finished", "Finished"


class Direction(models.TextChoices):
    """From Sift's side: `incoming` is a call that Sift itself made to the endpoint."""

    INCOMING = "incoming", "Sift called out"
    OUTGOING = "outgoing", "Called in"


class Doubt(models.TextChoices):
    """The reason why a call's last known state may be wrong; empty if there is no doubt."""

    NONE = "", "None"
    UNCONFIRMED = "unconfirmed", "Unconfirmed"
    LOST = "lost", "Lost"


class Source(models.TextChoices):
    """The source of an observation."""

    LIST = "list", "List"
    RETRIEVE = "retrieve", "Read one by one"
    CALLBACK = "callback", "Callback"
    PLACING = "placing", "Answer to placing"
    PERSON = "person", "A person"
    UPGRADE = "upgrade", "An upgrade"


IN_PROGRESS = (Status.CONNECTING, Status.CONNECTED)
# The fields that rows of calls show.
SHOWN_IN_ROWS = (
    *("connection_id", "status", "doubt", "direction", "started_at", "at", "talk_seconds"),
    *("from_endpoint", "to_endpoint"),
    *("operator__username", "operator__first_name", "operator__last_name"),
)
# The characters that Django's `reverse` does not escape.
SAFE_IN_A_PATH = "!$&'()*+,;=~:@"
# Sorts an unknown talk time below all others.
NO_TALK = -1
# The separator around the two ends in `ENDS`, so that no match spans both.
BETWEEN = "\n"
# Both ends as one text, which is searched for any part of a number or client.
ENDS = models.Func(
    Coalesce("from_endpoint", models.Value("")),
    Coalesce("to_endpoint", models.Value("")),
    arg_joiner=" || E'\\n' || ",
    output_field=models.TextField(),
    template="(E'\\n' || %(expressions)s || E'\\n')",
)


@models.CharField.register_lookup
@models.TextField.register_lookup
class ILike(IContains):
    """`icontains` that uses the trigram index; Django's own, with UPPER(), reads every row."""

    lookup_name = "ilike"

    def get_rhs_op(self, connection: Any, rhs: str) -> str:
        return f"ILIKE {rhs}"


# Only finished calls have a talk time, and only if they end after they start.
TALK_SECONDS = """
    CASE WHEN status = 'finished' AND ended_at >= started_at
    THEN least(floor(extract(epoch FROM ended_at - started_at)), 2147483647)::integer END
"""
# The endpoint that Sift called or that called in; without a direction, a number rather than a client.
OTHER_SIDE = """CASE
        WHEN direction = 'incoming' THEN to_endpoint
        WHEN direction = 'outgoing' THEN from_endpoint
        WHEN starts_with(from_endpoint, '+') THEN from_endpoint
        WHEN starts_with(to_endpoint, '+') THEN to_endpoint
        ELSE coalesce(from_endpoint, to_endpoint)
    END"""
PARTY = f"""
    {folded(OTHER_SIDE)}
"""


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def in_progress(self) -> Self:
        """Return calls that Sift last reported as connecting or connected, except lost ones."""
        return self.filter(status__in=IN_PROGRESS).exclude(doubt=Doubt.LOST)

    def longest_first(self) -> Self:
        """Order calls by their time, oldest first: on the board the longest come first."""
        return self.order_by("at", "id")

    def newest_first(self) -> Self:
        """Order calls by their time, newest first."""
        return self.order_by("-at", "-id")

    def for_rows(self) -> Self:
        """Load only what rows of lists show."""
        return self.select_related("operator").only(*SHOWN_IN_ROWS)

    def talked(self, *, at_least: int = 0, at_most: int | None = None) -> Self:
        """Return calls with a known talk time from `at_least` to `at_most` seconds."""
        calls = self.alias(talk=Coalesce("talk_seconds", NO_TALK)).filter(talk__gte=at_least)
        return calls if at_most is None else calls.filter(talk__lte=at_most)

    def without_end(self) -> Self:
        """Return finished calls whose end time Sift has not reported."""
        return self.filter(status=Status.FINISHED, ended_at=None)


class Connection(models.Model):
    """One call, merged from everything that Sift has reported about it.

    Only `connections_app.calls.ingest` writes rows. NULL means: not reported by Sift. Every change takes the
    next `change_number`, and the trigger below records it as a `ConnectionEvent`.
    """

    # Collation C, so that the one unique index also serves searches for a prefix.
    connection_id = models.CharField(max_length=255, db_collation="C")
    status = models.CharField(max_length=16, choices=Status)
    direction = models.CharField(max_length=16, choices=Direction, null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    from_endpoint = models.CharField(max_length=500, null=True)
    to_endpoint = models.CharField(max_length=500, null=True)
    client_data = models.JSONField(null=True)
    raw = models.JSONField(help_text="Sift's own object, as it was when it last changed this call.")
    doubt = models.CharField(max_length=16, choices=Doubt, default=Doubt.NONE, blank=True)
    first_seen_at = models.DateTimeField()
    first_source = models.CharField(max_length=16, choices=Source)
    changed_at = models.DateTimeField()
    change_source = models.CharField(max_length=16, choices=Source)
    change_number = models.BigIntegerField()
    # The call's time in lists: the start that Sift reported, else when it was first seen here.
    at = models.GeneratedField(
        expression=Coalesce("started_at", "first_seen_at"),
        output_field=models.DateTimeField(),
        db_persist=True,
    )
    talk_seconds = models.GeneratedField(
        expression=RawSQL(TALK_SECONDS, ()),  # noqa: S611
        output_field=models.IntegerField(null=True),
        db_persist=True,
        help_text="How long people talked, in whole seconds; NULL where it is not known, and while it lasts.",
    )
    country = models.GeneratedField(
        expression=RawSQL(f"sift_country({PARTY})", ()),  # noqa: S611
        output_field=models.CharField(max_length=2, null=True),
        db_persist=True,
        help_text="Of the other side's number, in two letters.",
    )
    party = models.GeneratedField(
        expression=RawSQL(PARTY, ()),  # noqa: S611
        output_field=models.CharField(max_length=500, null=True),
        db_persist=True,
        help_text="The other side, in lower case.",
    )
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        db_index=False,
        related_name="calls",
        help_text="Who placed the call, else whose browser client it is with. Kept by triggers.",
    )

    objects = ConnectionQuerySet.as_manager()
    # The contacts of its ends, by the end as Sift writes it; set by `contact_lookup.name_ends`.
    contacts: Mapping[str, Any] = MappingProxyType({})

    class Meta:
        constraints = (
            # Not unique=True on the field, which would add a second index for LIKE.
            models.UniqueConstraint(fields=["connection_id"], name="connection_id_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=Status.values), name="connection_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(direction__in=Direction.values), name="connection_direction_known"
            ),
            models.CheckConstraint(condition=models.Q(doubt__in=Doubt.values), name="connection_doubt_known"),
            models.CheckConstraint(condition=~models.Q(connection_id=""), name="connection_has_an_id"),
        )
        indexes = (
            # The list, newest first, and its keyset pages.
            models.Index(fields=["at", "id"], name="connection_order"),
            # The board's calls, and the list of failed ones: few among many.
            models.Index(
                fields=["at", "id"],
                name="connection_in_progress",
                condition=models.Q(status__in=IN_PROGRESS),
            ),
            models.Index(
                fields=["at", "id"], name="connection_failed", condition=models.Q(status=Status.FAILED)
            ),
            # The list of one person's calls.
            models.Index(
                fields=["operator", "at", "id"],
                name="connection_of_operator",
                condition=models.Q(operator__isnull=False),
            ),
            # One party's calls: those before and after a call, and those found by a contact's name.
            models.Index(fields=["party", "at", "id"], name="connection_party_order"),
            # The list of one country's calls.
            models.Index(fields=["country", "at", "id"], name="connection_country_order"),
            # The list ordered or filtered by talk time.
            models.Index(Coalesce("talk_seconds", NO_TALK), "id", name="connection_talk_order"),
            # Any part of a number or client.
            GinIndex(OpClass(ENDS, "gin_trgm_ops"), name="connection_ends"),
            # Finished calls whose end must still be requested: few.
            models.Index(
                fields=["id"],
                name="connection_without_end",
                condition=models.Q(status=Status.FINISHED, ended_at=None),
            ),
        )
        triggers = (
            pgtrigger.Trigger(
                name="client_operator",
                when=pgtrigger.Before,
                # Not for inserts: `ingest` sets it for all new calls with one query.
                operation=pgtrigger.UpdateOf("from_endpoint", "to_endpoint"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Condition(
                    "NEW.operator_id IS NULL"
                    " AND (NEW.from_endpoint ILIKE 'webrtc:%' OR NEW.to_endpoint ILIKE 'webrtc:%')"
                ),
                func="""
                    NEW.operator_id = sift_operator_on_the_line(NEW.from_endpoint, NEW.to_endpoint);
                    RETURN NEW;
                """,
            ),
            # Keeps the order of the list of a tag's calls.
            pgtrigger.Trigger(
                name="tag_order",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("started_at"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Condition("OLD.at IS DISTINCT FROM NEW.at"),
                func="""
                    UPDATE connections_app_calltag SET at = NEW.at WHERE connection_id = NEW.id;
                    RETURN NULL;
                """,
            ),
            pgtrigger.Trigger(
                name="events",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="before", new="after"),  # type: ignore[no-untyped-call]
                # It also fires for batches that change no known row, and must cost them nothing.
                func="""
                    IF NOT EXISTS (SELECT FROM after) THEN
                        RETURN NULL;
                    END IF;
                    INSERT INTO connections_app_connectionevent
                        (connection_id, change_number, source, at, changes)
                    SELECT after.id, after.change_number, after.change_source, after.changed_at, changed.list
                    FROM after JOIN before USING (id)
                    CROSS JOIN LATERAL (
                        SELECT jsonb_object_agg(field, jsonb_build_array(old_value, new_value)) AS list
                        FROM (VALUES
                            ('status', to_jsonb(before.status), to_jsonb(after.status)),
                            ('direction', to_jsonb(before.direction), to_jsonb(after.direction)),
                            ('started_at', to_jsonb(before.started_at), to_jsonb(after.started_at)),
                            ('ended_at', to_jsonb(before.ended_at), to_jsonb(after.ended_at)),
                            ('from_endpoint', to_jsonb(before.from_endpoint), to_jsonb(after.from_endpoint)),
                            ('to_endpoint', to_jsonb(before.to_endpoint), to_jsonb(after.to_endpoint)),
                            ('client_data', before.client_data, after.client_data),
                            ('doubt', to_jsonb(before.doubt), to_jsonb(after.doubt))
                        ) AS field (field, old_value, new_value)
                        WHERE old_value IS DISTINCT FROM new_value
                    ) AS changed
                    WHERE changed.list IS NOT NULL
                    ORDER BY after.change_number;
                    RETURN NULL;
                """,
            ),
        )

    def __str__(self) -> str:
        return self.connection_id

    def get_absolute_url(self) -> str:
        before, after = _address()
        return before + quote(self.connection_id, safe=SAFE_IN_A_PATH) + after

    @property
    def is_in_progress(self) -> bool:
        """Return True if Sift last reported the call as connecting or connected, and has not lost it."""
        return self.status in IN_PROGRESS and self.doubt != Doubt.LOST


@cache
def _address() -> tuple[str, str]:
    """Return the URL before and after a call's id; cached, since a list links to fifty calls or more."""
    before, _, after = reverse("call", kwargs={"connection_id": "~"}).rpartition("~")
    return before, after


class Reading(models.Model):
    """When a call was last retrieved singly, and since when Sift has answered that it does not know it."""

    connection = models.OneToOneField(Connection, models.CASCADE, primary_key=True)
    read_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)
    unknown_since = models.DateTimeField(null=True)
    asking_since = models.DateTimeField(null=True, help_text="While a process waits for Sift's answer.")

    def __str__(self) -> str:
        return f"{self.connection_id} read at {self.read_at:%Y-%m-%d %H:%M:%S}"
