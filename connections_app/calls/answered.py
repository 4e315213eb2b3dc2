"""Whether a call was answered: the one definition, in SQL and in words."""

from django.db.models import Case, Exists, F, OuterRef, Q, TextChoices, Value, When

from connections_app.models import ConnectionEvent, Doubt, Outcome, Push, Status

DEFINITION = (
    "A call was answered if it was seen connected, or if it finished with an end after its start and was "
    "not hung up from here before it connected. A failed call was not answered. "
    "Of any other call that is over it is unknown."
)


class Answer(TextChoices):
    ANSWERED = "answered", "Answered"
    NOT_ANSWERED = "not_answered", "Not answered"
    PENDING = "pending", "Still ringing"
    UNKNOWN = "unknown", "Unknown"


# A change from or to `connected` is an event; a call that was first seen connected has one when that ends.
_SEEN_CONNECTED = Exists(
    ConnectionEvent.objects.filter(
        connection=OuterRef("pk"), changes__status__contains=Status.CONNECTED.value
    )
)
# A routine that begins with HangUp ends a ringing call as a hang-up does. Sift may have taken an unknown one.
_HUNG_UP_HERE = Exists(
    Push.objects.filter(
        Q(kind=Push.Kind.HANG_UP) | Q(script__commands__0__name="HangUp"), connection=OuterRef("pk")
    ).exclude(outcome=Outcome.REJECTED)
)

# For queries over connections, as a value of `Answer`.
ANSWER = Case(
    When(Q(status=Status.CONNECTED) | _SEEN_CONNECTED, then=Value(Answer.ANSWERED.value)),
    When(status=Status.FAILED, then=Value(Answer.NOT_ANSWERED.value)),
    When(
        Q(status=Status.FINISHED, ended_at__gt=F("started_at")) & ~_HUNG_UP_HERE,
        then=Value(Answer.ANSWERED.value),
    ),
    When(Q(status=Status.CONNECTING) & ~Q(doubt=Doubt.LOST), then=Value(Answer.PENDING.value)),
    default=Value(Answer.UNKNOWN.value),
)
