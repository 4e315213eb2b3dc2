"""Sessions that end when a person is idle: Django's own, extended while the person is active."""

from datetime import datetime, timedelta

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

EXTEND_EVERY = timedelta(minutes=1)  # at most, to save writes


class SessionStore(db.SessionStore):
    """Django's session; `ends_at` is its end as stored, None for a new one."""

    ends_at: datetime | None = None

    def _validate_session_key(self, key: str | None) -> bool:
        """Return True for a valid key of letters and digits: a cookie may hold what no column can."""
        return bool(super()._validate_session_key(key) and key and key.isascii() and key.isalnum())  # type: ignore[misc]

    def extend(self) -> None:
        """Let the session last its full time from now: its row and cookie are written with the response."""
        if self.ends_at is None:
            return
        full = timedelta(seconds=self.get_session_cookie_age())
        left = self.ends_at - timezone.now()
        if not full - EXTEND_EVERY < left <= full:
            self.modified = True

    def _get_session_from_db(self) -> Session | None:
        found: Session | None = super()._get_session_from_db()  # type: ignore[misc]
        self.ends_at = found.expire_date if found else None
        return found
