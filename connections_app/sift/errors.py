"""What can go wrong between us and Sift, each in words that a person can act on."""

from datetime import timedelta


class SiftError(Exception):
    """Sift could not be asked, or its answer could not be used. `str()` is a whole sentence."""


class Unreachable(SiftError):
    """Sift did not answer, or said “later” (429, 5xx), for longer than we wait; trying again is sensible."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotSent(SiftError):
    """It is certain that nothing of the request left for Sift."""


class NoConnection(Unreachable, NotSent):
    """No connection to Sift, or no secure one, could be made."""


class BadCertificate(NotSent):
    """Sift's certificate, or that of the proxy on the way, was refused in the handshake."""


class Refused(SiftError):
    """Sift answered with a final 4xx; `reason` holds its own words."""

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


class NotKnown(Refused):
    """404: Sift knows no such connection."""


class Redirected(SiftError):
    """A 3xx; never followed, since credentials would go with it."""


class BadAnswer(SiftError):
    """An answer of the wrong shape: not JSON, too large, not a page, or a link to somewhere else."""
