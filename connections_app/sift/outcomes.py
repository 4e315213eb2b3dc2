"""What can become of something that Sift was asked to do. Nothing here is ever asked twice."""

from dataclasses import dataclass

from connections_app.sift.payloads import Observation


@dataclass(frozen=True, slots=True)
class Placed:
    """Sift took the call. Its answer may name it (`connection_id`), tell all of it (`observation`), or be
    empty."""

    connection_id: str | None = None
    observation: Observation | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """Sift took the routine; `note` is a sentence where there is more to say."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Sift did not do it: it refused, in its own words, or was never reached (then `status` is 0)."""

    reason: str
    status: int = 0


@dataclass(frozen=True, slots=True)
class Unknown:
    """Sift may or may not have done it; `reason` is a sentence that says why that is not known."""

    reason: str
