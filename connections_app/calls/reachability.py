"""Do Sift's callbacks reach us? Told by the calls that were placed, not by what is set."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from connections_app.models import Callback, CallRequest, Outcome

# A call's first callback comes at once; so long one that is late is waited for.
WAITED = timedelta(seconds=15)
LOOKED_BACK = timedelta(days=1)
LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class Reachability:
    """`address` is how Sift is told to reach us; `silent` counts the latest placed calls, in a row, of which
    no callback came; `last` is the latest callback of any kind."""

    address: str
    is_public: bool
    silent: int
    last: datetime | None

    @property
    def problem(self) -> str:
        """What is wrong, as sentences; empty when all is well or nothing is known."""
        if self.silent:
            calls = "the last placed call" if self.silent == 1 else f"the last {self.silent} placed calls"
            return (
                f"Sift has not called back for {calls}. Their routines reach Sift a second or two late, "
                "and what callers key or say does not reach the dashboard."
            )
        if not self.is_public and not settings.SIFT_SANDBOX:
            return "PUBLIC_URL is not set, so only this machine can call back."
        return ""


def reachability(now: datetime) -> Reachability:
    """Whether callbacks arrive, at `now`. Two queries."""
    last = Callback.objects.order_by("-id").only("last_at").first()
    latest = (
        CallRequest.objects.filter(
            outcome=Outcome.ACCEPTED, asked_at__gt=now - LOOKED_BACK, answered_at__lt=now - WAITED
        )
        .order_by("-id")
        .values_list("called_back_at", flat=True)[:LOOKED_AT]
    )
    silent = 0
    for called_back_at in latest:
        if called_back_at:
            break
        silent += 1
    return Reachability(
        settings.CALLBACK_URL, bool(settings.PUBLIC_URL), silent, last.last_at if last else None
    )
