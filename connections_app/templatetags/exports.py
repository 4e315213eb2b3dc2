"""Template tags for exports: whether they are made in the background, and their time zone."""

from django import template
from django.utils import timezone

from connections_app.call_list.time_limits import Count
from connections_app.exports.writing import INLINE_LIMIT

register = template.Library()


@register.simple_tag
def offset() -> str:
    """Return the present offset of the person's zone from UTC: `+02:00`."""
    written = f"{timezone.localtime():%z}"
    return f"{written[:3]}:{written[3:5]}"


@register.filter
def goes_to_a_file(count: Count) -> bool:
    """Return True if an export of `count` calls is made in the background."""
    return count.calls > INLINE_LIMIT
