"""Read-only lists of tables that grow without limit: keyset pages, without counts.

Django's own list counts all matching rows and skips all rows before the page; both read the whole table.
"""

from dataclasses import dataclass
from typing import Any, Self

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.db import DataError
from django.db.models import Model, Q, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest

from connections_app.call_list.time_limits import TooSlow, read
from connections_app.web.paging import BadPlace, beyond, page_of

AFTER, BEFORE = "after", "before"
TOO_SLOW = "This took too long. Look for a longer text, or use one filter less."


@dataclass(frozen=True, slots=True)
class Place:
    """The start of a page: after the row with these values, or before it if `upwards`."""

    upwards: bool
    values: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, length: int) -> Self | None:
        """Return the place that `text` names, or None for the first page. Raises `BadPlace`."""
        if not text:
            return None
        # The unique key comes first and a name last, since a name may contain commas.
        side, *values = text.split(",", length)
        if side not in (AFTER, BEFORE) or len(values) != length:
            raise BadPlace(text)
        return cls(side == BEFORE, tuple(reversed(values)))

    def __str__(self) -> str:
        return ",".join([BEFORE if self.upwards else AFTER, *reversed(self.values)])


class KeysetList(ChangeList):
    """The rows after a place in the list's only order, and the URLs of the previous and next pages."""

    model_admin: "ReadOnlyAdmin"
    older_url: str | None
    newer_url: str | None

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str | Combinable]:
        """Return the order that an index supports, whatever the URL requests."""
        admin = self.model_admin
        return [f"-{key}" if admin.descends else key for key in admin.keys]

    def get_results(self, request: HttpRequest) -> None:
        keys = self.model_admin.keys
        try:
            place = Place.parse(request.GET.get(PAGE_VAR, ""), len(keys))
            rows = self._rows(request, place)
        except (ValueError, ValidationError, DataError) as error:
            raise IncorrectLookupParameters from error
        upwards = place is not None and place.upwards
        page = page_of(rows, upwards=upwards, is_first=place is None, size=self.list_per_page)
        self.model_admin.complete(page.rows)
        self.older_url = self._address(page.last, upwards=False)
        self.newer_url = self._address(page.first, upwards=True)
        self.result_list = page.rows
        # The rest of the admin reads these as counts.
        self.result_count = self.full_result_count = len(page.rows)
        self.show_full_result_count = self.show_admin_actions = False
        self.can_show_all = self.multi_page = False

    def _rows(self, request: HttpRequest, place: Place | None) -> list[Any]:
        """Return the rows of the page from the place on, and one more if there is one."""
        rows: QuerySet[Any] = self.queryset
        if place:
            admin = self.model_admin
            rows = beyond(rows, admin.keys, place.values, descending=admin.descends, upwards=place.upwards)
            rows = rows.reverse() if place.upwards else rows
        try:
            return read(rows[: self.list_per_page + 1])
        except TooSlow:
            messages.error(request, TOO_SLOW)
            return []

    def _address(self, row: Model | None, *, upwards: bool) -> str | None:
        if row is None:
            return None
        values = (getattr(row, key) for key in self.model_admin.keys)
        place = Place(upwards, tuple(str(value) for value in values))
        return self.get_query_string({PAGE_VAR: str(place)})


class WhenFilter(admin.DateFieldListFilter):
    """Django's date filter, titled “time”."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "time"


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A table listed in the order of `keys`: they share an index, none is NULL and the last is unique."""

    keys: tuple[str, ...] = ("id",)
    descends = True
    change_list_template = "admin/keyset_list.html"
    list_per_page = 50
    sortable_by = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_max_show_all = 0
    actions = None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search for the whole text: Django compares with UPPER(), which no index supports."""
        text = search_term.strip()
        return (queryset.filter(self.having(text)) if text else queryset), False

    def having(self, text: str) -> Q:
        """Return a query for the rows with this text in one of `search_fields`."""
        return Q.create([(lookup, text) for lookup in self.search_fields], connector=Q.OR)

    def complete(self, rows: list[Any]) -> None:
        """Set on the rows of a page what their columns need in addition to the row."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
