"""Time zones in which every time can be shown, also at the ends of the calendar."""

from datetime import datetime
from zoneinfo import ZoneInfo


class Zone(ZoneInfo):
    """A zone like `ZoneInfo`, but one that shows as UTC what in it falls before year 1 or after year 9999.

    `astimezone` raises OverflowError otherwise, and one such time of a call would break each page with it.
    """

    def fromutc(self, moment: datetime) -> datetime:
        try:
            return super().fromutc(moment)
        except OverflowError:
            return moment
