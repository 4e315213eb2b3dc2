"""Errors of exchanges with Sift, each with a message that a person can act on."""

from datetime import timedelta


class SiftError(Exception):
    """A request to Sift failed, or its answer could not be used. `str()` is a whole sentence."""


class Unreachable(SiftError):
    """Sift did not answer in time, or answered 429 or 5xx; retrying later makes sense."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotSent(SiftError):
    """No part of the request was sent to Sift."""


class NoConnection(Unreachable, NotSent):
    """No connection to Sift, or no secure one, could be opened."""


class BadCertificate(NotSent):
    """The certificate of Sift, or of a proxy before it, was rejected in the handshake."""


class Refused(SiftError):
    """Sift answered with a final 4xx; `reason` is Sift's own text."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"Sift refused ({status}): {reason}")
        self.status = status
        self.reason = reason


class WrongCredentials(Refused):
    """401 or 403."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.args = (
            f"Sift refused the credentials ({status}): {reason} Check SIFT_ACCOUNT_ID and SIFT_AUTH_TOKEN.",
        )


class ConnectionNotFound(Refused):
    """404: Sift knows no such connection."""


class Redirected(SiftError):
    """A 3xx; never followed, since that would send the credentials elsewhere."""


class BadAnswer(SiftError):
    """An answer of the wrong form: not JSON, too large, not a page, or with a link outside the API."""
