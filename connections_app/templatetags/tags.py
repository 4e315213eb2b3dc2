"""Template tags for the tags that can be put on calls."""

from django import template
from django.db.models import QuerySet

from connections_app.models import Tag

register = template.Library()


@register.simple_tag
def every_tag() -> QuerySet[Tag]:
    """All tags, by name. One query."""
    return Tag.objects.only("name", "colour")
