"""How Django's own pages, the admin's, write times: to the second, since the record is read there."""

DATE_FORMAT = "Y-m-d"
TIME_FORMAT = "H:i:s"
DATETIME_FORMAT = "Y-m-d H:i:s"
