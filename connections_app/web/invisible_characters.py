"""Characters that nobody sees, made visible on every page: `⟨U+202E⟩` stands for a right-to-left override.

Text that comes from outside, such as the name of a browser client, could otherwise be read as another one.
All HTML goes through here once it is drawn, so that no page can forget it. What forms hold, what is copied
and what addresses say stays as it is, and so do files.
"""

import re
import unicodedata
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.html import format_html

from connections_app.models.characters import UNSEEN

# A flag of emoji is a black flag with tags after it, which are no text.
FLAG = "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
MARKED = re.compile(f"{FLAG}|({UNSEEN.pattern})")
# A tag with its attributes; Django escapes each < and quotation mark of a text.
TAG = r"""<[a-zA-Z/!](?:[^"'>]|"[^"]*"|'[^']*')*>"""
PARTS = re.compile(
    rf"""(?P<kept><(?P<name>script|style|textarea)\b.*?</(?P=name)\s*>)
    | (?P<plain>(?:<title>|<option\b(?:[^"'>]|"[^"]*"|'[^']*')*>)[^<]*)
    | (?P<tag>{TAG})
    | (?P<text>[^<]+)""",
    re.VERBOSE | re.DOTALL,
)
# What people read or hear of an element beside its text, also by way of our scripts.
READ = re.compile(r"""(?<=\s)((?:title|aria-label|alt|placeholder|data-told|label)=)("[^"]*")""")


def marked(html: str) -> str:
    """Return `html` with the characters that nobody sees made visible wherever a person reads it."""
    return PARTS.sub(_marked_part, html) if UNSEEN.search(html) else html


def shown(text: str) -> str:
    """Return `text` with the characters that nobody sees made visible, for what is not HTML."""
    return MARKED.sub(lambda found: _code(found[1]) if found[1] else found[0], text)


class InvisibleCharactersMiddleware:
    """Has every page and fragment marked."""

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
    return READ.sub(lambda read: read[1] + shown(read[2]), part[:end]) + shown(part[end:])


def _element(character: str) -> str:
    """The mark of a character, with its name on hover; what follows is ordered as if it were not there."""
    name = unicodedata.name(character, "control character").lower()
    return format_html('<bdi class="unseen" title="{}">{}</bdi>', name, _code(character))


def _code(character: str) -> str:
    return f"\N{MATHEMATICAL LEFT ANGLE BRACKET}U+{ord(character):04X}\N{MATHEMATICAL RIGHT ANGLE BRACKET}"
