"""Template tags for exports: how they are made, and the zone that times are written in."""

from django import template
from django.utils import timezone

from connections_app.call_list.time_limits import Count
from connections_app.exports.writing import INLINE_LIMIT

register = template.Library()


@register.simple_tag
def offset() -> str:
    """How far the person's zone is from UTC now: `+02:00`."""
    written = f"{timezone.localtime():%z}"
    return f"{written[:3]}:{written[3:5]}"


@register.filter
def goes_to_a_file(count: Count) -> bool:
    """Whether so many calls are exported in the background."""
    return count.calls > INLINE_LIMIT
