"""Formats of times on Django's own pages, the admin's: with seconds, since the audit log is read there."""

DATE_FORMAT = "Y-m-d"
TIME_FORMAT = "H:i:s"
DATETIME_FORMAT = "Y-m-d H:i:s"
