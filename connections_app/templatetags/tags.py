"""Template tags for the tags that can be put on calls."""

from collections.abc import Sequence
from functools import lru_cache

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connections_app.models import Tag

register = template.Library()

# A row of a list names so many, and says how many more there are.
IN_A_ROW = 3


@register.simple_tag
def tag_line(tags: Sequence[Tag]) -> SafeString:
    """A call's tags as a row shows them: the first few, and how many more, named on hover."""
    drawn = [_pill(tag.name, tag.colour) for tag in tags[:IN_A_ROW]]
    if more := ", ".join(tag.name for tag in tags[IN_A_ROW:]):
        drawn.append(_more(len(tags) - IN_A_ROW, more))
    return SafeString(" ".join(drawn))


# Rows come by fifties, with the same few tags.
@lru_cache(maxsize=1024)
def _pill(name: str, colour: str) -> SafeString:
    return format_html('<span class="call-tag call-tag-{1}" title="{0}">{0}</span>', name, colour)


def _more(count: int, names: str) -> SafeString:
    read = format_html('<span class="visually-hidden"> more: {}</span>', names)
    return format_html('<span class="call-tags-more" title="{}">+{}{}</span>', names, count, read)
