"""Whether Sift's callbacks reach us, judged by the calls that were placed and not by the settings."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from connections_app.models import Callback, CallRequest, Outcome

CALLBACK_TIMEOUT = timedelta(seconds=15)  # a call's first callback normally comes at once
MAX_AGE = timedelta(days=1)
MAX_REQUESTS = 20


@dataclass(frozen=True, slots=True)
class Reachability:
    """`address` is the callback URL that Sift receives; `silent` counts the latest consecutive placed calls
    without a callback; `last` is the time of the latest callback of any kind."""

    address: str
    is_public: bool
    silent: int
    last: datetime | None

    @property
    def problem(self) -> str:
        """Return what is wrong, as sentences; empty if all is well or nothing is known."""
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
    """Return whether callbacks arrive at `now`. Two queries."""
    last = Callback.objects.order_by("-id").only("last_at").first()
    latest = (
        CallRequest.objects.filter(
            outcome=Outcome.ACCEPTED, asked_at__gt=now - MAX_AGE, answered_at__lt=now - CALLBACK_TIMEOUT
        )
        .order_by("-id")
        .values_list("called_back_at", flat=True)[:MAX_REQUESTS]
    )
    silent = 0
    for called_back_at in latest:
        if called_back_at:
            break
        silent += 1
    return Reachability(
        settings.CALLBACK_URL, bool(settings.PUBLIC_URL), silent, last.last_at if last else None
    )
