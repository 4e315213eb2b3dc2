"""The outcomes of a request to Sift that changes something. Such a request is never repeated."""

from dataclasses import dataclass

from connections_app.sift.payloads import Observation


@dataclass(frozen=True, slots=True)
class Placed:
    """Sift accepted the call. Its answer may hold its id, all of it (`observation`), or nothing."""

    connection_id: str | None = None
    observation: Observation | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """Sift accepted the routine; `note` is an optional sentence with more information."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Sift did not do it: it refused with its own `reason`, or was never reached (then `status` is 0)."""

    reason: str
    status: int = 0


@dataclass(frozen=True, slots=True)
class Unknown:
    """Sift may or may not have done it; `reason` is a sentence that explains why this is unknown."""

    reason: str
