"""Make invisible characters visible on every page: `⟨U+202E⟩` represents a right-to-left override.

External text, such as the name of a browser client, could otherwise look like another one. A middleware does
this for all HTML, so that no page can omit it. Form values, copied text, URLs and files do not change.
"""

import re
import unicodedata
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.html import format_html

from connections_app.models.characters import UNSEEN

# An emoji flag is a black flag followed by tag characters, which are not text.
FLAG = "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
MARKED = re.compile(f"{FLAG}|({UNSEEN.pattern})")
# A tag with its attributes; Django escapes each < and quotation mark in text.
TAG = r"""<[a-zA-Z/!](?:[^"'>]|"[^"]*"|'[^']*')*>"""
PARTS = re.compile(
    rf"""(?P<kept><(?P<name>script|style|textarea)\b.*?</(?P=name)\s*>)
    | (?P<plain>(?:<title>|<option\b(?:[^"'>]|"[^"]*"|'[^']*')*>)[^<]*)
    | (?P<tag>{TAG})
    | (?P<text>[^<]+)""",
    re.VERBOSE | re.DOTALL,
)
# The attributes that people see or hear, also through our scripts.
READ_ATTRIBUTES = re.compile(r"""(?<=\s)((?:title|aria-label|alt|placeholder|data-told|label)=)("[^"]*")""")


def marked(html: str) -> str:
    """Return `html` with invisible characters made visible wherever a person reads it."""
    return PARTS.sub(_marked_part, html) if UNSEEN.search(html) else html


def shown(text: str) -> str:
    """Return `text`, which is not HTML, with invisible characters made visible."""
    return MARKED.sub(lambda found: _code(found[1]) if found[1] else found[0], text)


class InvisibleCharactersMiddleware:
    """Apply `marked` to every page and fragment."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        is_html = response.get("Content-Type", "").startswith("text/html")
        if is_html and isinstance(response, HttpResponse):
            html = response.content.decode(response.charset)
            if UNSEEN.search(html):
                response.content = marked(html).encode(response.charset)
        return response


def _marked_part(found: re.Match[str]) -> str:
    part = found[0]
    if found["kept"] or not UNSEEN.search(part):
        return part
    if found["text"]:
        return MARKED.sub(lambda one: _element(one[1]) if one[1] else one[0], part)
    tag = re.match(TAG, part)
    end = tag.end() if tag else 0
    return READ_ATTRIBUTES.sub(lambda read: read[1] + shown(read[2]), part[:end]) + shown(part[end:])


def _element(character: str) -> str:
    """Return the mark of a character, with its name on hover, isolated from the direction of other text."""
    name = unicodedata.name(character, "control character").lower()
    return format_html('<bdi class="unseen" title="{}">{}</bdi>', name, _code(character))


def _code(character: str) -> str:
    return f"\N{MATHEMATICAL LEFT ANGLE BRACKET}U+{ord(character):04X}\N{MATHEMATICAL RIGHT ANGLE BRACKET}"
