"""Sessions that end when a person has asked for nothing for a while: Django's own, put off while they do."""

from datetime import datetime, timedelta

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

# A session is written again no more often than this.
PUT_OFF_EVERY = timedelta(minutes=1)


class SessionStore(db.SessionStore):
    ends_at: datetime | None = None

    def _validate_session_key(self, key: str | None) -> bool:
        """Also of what it is made: a cookie may hold what no column does."""
        return bool(super()._validate_session_key(key) and key and key.isascii() and key.isalnum())  # type: ignore[misc]

    def put_off_end(self) -> None:
        """Let the session last its whole time from now on: its row and its cookie, with the response."""
        if self.ends_at is None:
            return
        whole = timedelta(seconds=self.get_session_cookie_age())
        left = self.ends_at - timezone.now()
        if not whole - PUT_OFF_EVERY < left <= whole:
            self.modified = True

    def _get_session_from_db(self) -> Session | None:
        found: Session | None = super()._get_session_from_db()  # type: ignore[misc]
        self.ends_at = found.expire_date if found else None
        return found
