"""Template tags for the tags that can be put on calls."""

from collections.abc import Sequence
from functools import lru_cache

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connections_app.models import Tag

register = template.Library()

MAX_NAMED_TAGS = 3  # in a row of a list, which then shows how many more there are


@register.simple_tag
def tag_line(tags: Sequence[Tag]) -> SafeString:
    """Return a call's tags for a row: the first few, and the number of the others, named on hover."""
    drawn = [_pill(tag.name, tag.colour) for tag in tags[:MAX_NAMED_TAGS]]
    if more := ", ".join(tag.name for tag in tags[MAX_NAMED_TAGS:]):
        drawn.append(_more(len(tags) - MAX_NAMED_TAGS, more))
    return SafeString(" ".join(drawn))


# A list has fifty rows with the same few tags.
@lru_cache(maxsize=1024)
def _pill(name: str, colour: str) -> SafeString:
    return format_html('<span class="call-tag call-tag-{1}" title="{0}">{0}</span>', name, colour)


def _more(count: int, names: str) -> SafeString:
    read = format_html('<span class="visually-hidden"> more: {}</span>', names)
    return format_html('<span class="call-tags-more" title="{}">+{}{}</span>', names, count, read)
