"""Time zones that can show every time, also at the ends of the calendar."""

from datetime import datetime
from zoneinfo import ZoneInfo


class Zone(ZoneInfo):
    """A `ZoneInfo` that shows a time in UTC if its local time is before year 1 or after year 9999.

    Otherwise `astimezone` raises OverflowError, and one call with such a time breaks each page with it.
    """

    def fromutc(self, moment: datetime) -> datetime:
        try:
            return super().fromutc(moment)
        except OverflowError:
            return moment
