"""The one definition of an answered call, in SQL and in words."""

from django.db.models import Case, Exists, F, OuterRef, Q, TextChoices, Value, When

from connections_app.models import ConnectionEvent, Doubt, Outcome, Push, Status

DEFINITION = (
    "A call was answered if it was seen connected, or if it finished with an end after its start and was "
    "not hung up from here before it connected. A failed call was not answered. "
    "Of any other call that is over it is unknown."
)


class Answer(TextChoices):
    """Whether a call was answered, as far as is known."""

    ANSWERED = "answered", "Answered"
    NOT_ANSWERED = "not_answered", "Not answered"
    PENDING = "pending", "Still ringing"
    UNKNOWN = "unknown", "Unknown"


# Every change from or to `connected` is an event, so a call first seen connected gets one when it ends.
_SEEN_CONNECTED = Exists(
    ConnectionEvent.objects.filter(
        connection=OuterRef("pk"), changes__status__contains=Status.CONNECTED.value
    )
)
# A routine that begins with HangUp ends a ringing call too. A push with an unknown outcome may have arrived.
_HUNG_UP_HERE = Exists(
    Push.objects.filter(
        Q(kind=Push.Kind.HANG_UP) | Q(script__commands__0__name="HangUp"), connection=OuterRef("pk")
    ).exclude(outcome=Outcome.REJECTED)
)

# A value of `Answer`, for queries over connections.
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
