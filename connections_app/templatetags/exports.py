"""Template tags for exports: the zone that times are written in."""

from django import template
from django.utils import timezone

register = template.Library()


@register.simple_tag
def offset() -> str:
    """How far the person's zone is from UTC now: `+02:00`."""
    written = f"{timezone.localtime():%z}"
    return f"{written[:3]}:{written[3:5]}"
