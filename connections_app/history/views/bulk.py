"""`/calls/tags/bulk/`: a tag on many calls: asked for, confirmed, watched, stopped and undone."""

from typing import Any, cast

from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from connections_app.history import bulk, tagging
from connections_app.history.asked import Refused
from connections_app.history.bulk import Asked
from connections_app.history.forms import BulkForm
from connections_app.history.tagging import in_words
from connections_app.history.tasks import tag_calls
from connections_app.history.views.answering import REFUSED, is_htmx, queue, see
from connections_app.models import BulkTagging, Operator, Tag
from connections_app.recording import address_of

State = BulkTagging.State
# What a person confirms is what was counted for them, and not long ago.
SALT = "tagging all that match"
CONFIRMED_WITHIN = 3600  # seconds


@require_POST
def bulk_tag(request: HttpRequest) -> HttpResponse:
    """Tag the selected calls at once; for all that match, ask first, with their count and the filter."""
    operator = cast(Operator, request.user)
    tagging.check_may_tag(operator)
    form = BulkForm(request.POST)
    if not form.is_valid():
        return _refused(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    wanted = form.cleaned_data
    try:
        if wanted["scope"] == BulkForm.ALL:
            return _question(request, wanted)
        return _begin(request, operator, _selected(wanted, operator, address_of(request)))
    except (Refused, tagging.NoSuchTag) as problem:
        return _refused(request, str(problem))


@require_POST
def confirm_bulk(request: HttpRequest) -> HttpResponse:
    """Tag all calls that match, as they were counted when the question was asked."""
    operator = cast(Operator, request.user)
    tagging.check_may_tag(operator)
    try:
        confirmed = signing.loads(request.POST.get("asked", ""), salt=SALT, max_age=CONFIRMED_WITHIN)
        asked = _confirmed(confirmed, operator, address_of(request))
    except signing.BadSignature:
        return _refused(request, "The question was asked too long ago. Ask again from the list.")
    except tagging.NoSuchTag as problem:
        return _refused(request, str(problem))
    return _begin(request, operator, asked)


@never_cache
@require_safe
def show_bulk(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a bulk tagging is; for htmx, the part of the page that changes."""
    return _state(request, _one(request, pk))


@require_POST
def stop_bulk(request: HttpRequest, pk: int) -> HttpResponse:
    one = _one(request, pk)
    bulk.stop(one)
    return _state(request, one) if is_htmx(request) else see("bulk", pk)


@require_POST
def undo_bulk(request: HttpRequest, pk: int) -> HttpResponse:
    """Put back all that it changed: at once where that is little, else in the background."""
    one = _one(request, pk)
    if bulk.undo(one, cast(Operator, request.user), address_of(request)):
        _work(request, one, one.changed)
    return _state(request, _one(request, pk)) if is_htmx(request) else see("bulk", pk)


def _one(request: HttpRequest, pk: int) -> BulkTagging:
    one = get_object_or_404(BulkTagging.objects.select_related("tag"), pk=pk)
    if not bulk.may_steer(cast(Operator, request.user), one):
        raise PermissionDenied
    return one


def _selected(wanted: dict[str, Any], operator: Operator, address: str | None) -> Asked:
    keys = sorted(set(wanted["call"]))
    adds = wanted["do"] == BulkForm.ADD
    return Asked(
        tag=_tag(wanted["tag"], adds, operator, address),
        adds=adds,
        keys=keys,
        query=wanted["query"],
        time_zone=timezone.get_current_timezone_name(),
        counted=len(keys),
        last_key=keys[-1],
    )


def _question(request: HttpRequest, wanted: dict[str, Any]) -> HttpResponse:
    """Shown before anything is done. A tag that is new is made once it is answered."""
    operator = cast(Operator, request.user)
    adds, name = wanted["do"] == BulkForm.ADD, wanted["tag"]
    found = tagging.named(name)
    if not found and not (adds and tagging.may_make(operator)):
        raise tagging.NoSuchTag(_no_such(name, adds))
    zone = timezone.get_current_timezone_name()
    matching = bulk.matching(wanted["query"], zone)
    asked = {
        "tag": found.name if found else name,
        "adds": adds,
        "query": wanted["query"],
        "time_zone": zone,
        "counted": matching.calls,
        "last_key": matching.last_key,
    }
    context = asked | {
        "found": found,
        "counted_words": in_words(matching.calls),
        "words": matching.words,
        "at_once": matching.calls <= bulk.AT_ONCE,
        "signed": signing.dumps(asked, salt=SALT, compress=True),
    }
    return render(request, "history/bulk_question.html", context)


def _confirmed(confirmed: dict[str, Any], operator: Operator, address: str | None) -> Asked:
    tag = _tag(confirmed.pop("tag"), confirmed["adds"], operator, address)
    return Asked(tag=tag, keys=None, **confirmed)


def _tag(name: str, adds: bool, operator: Operator, address: str | None) -> Tag:
    """The tag of this name, made where it is to be put on and one may. Raises `NoSuchTag`."""
    if adds:
        return tagging.find_or_make(name, operator, address)
    if found := tagging.named(name):
        return found
    raise tagging.NoSuchTag(_no_such(name, adds))


def _no_such(name: str, adds: bool) -> str:
    return f"There is no tag “{name}”. A supervisor makes new ones." if adds else f"There is no tag “{name}”."


def _begin(request: HttpRequest, operator: Operator, asked: Asked) -> HttpResponse:
    begun = bulk.begin(asked, operator, address_of(request))
    _work(request, begun, asked.counted)
    return see("bulk", begun.pk)


def _work(request: HttpRequest, one: BulkTagging, calls: int) -> None:
    """Do it, or have it done."""
    if calls <= bulk.AT_ONCE:
        bulk.work(one.pk)
        return
    queue(request, tag_calls, one.pk)


def _state(request: HttpRequest, one: BulkTagging) -> HttpResponse:
    template = "history/_bulk_state.html" if is_htmx(request) else "history/bulk.html"
    is_undoing = one.state == State.UNDOING
    context = {
        "bulk": one,
        "sentence": _sentence(one),
        "words": bulk.filter_words(one.query) or "Every call there was",
        "done": one.undone if is_undoing else one.seen,
        "of": max(1, one.changed if is_undoing else one.counted),
        "is_open": one.state in bulk.OPEN,
        "may_be_stopped": one.state in bulk.MAY_BE_STOPPED,
        "may_be_undone": one.state in bulk.MAY_BE_UNDONE and one.changed,
        "now": timezone.now(),
    }
    return render(request, template, context)


def _sentence(one: BulkTagging) -> str:
    """How far it is, in words."""
    changed = f"{'Put on' if one.adds else 'Taken off'} {in_words(one.changed)}"
    match one.state:
        case State.WAITING:
            return "Waiting for its turn."
        case State.RUNNING:
            return f"{one.seen:,} of {in_words(one.counted)} dealt with; {changed.lower()} so far."
        case State.UNDOING:
            return f"Being undone: {one.undone:,} of {in_words(one.changed)} so far."
        case State.UNDONE:
            return f"Undone on {in_words(one.undone)}."
        case State.STOPPED:
            return f"Stopped. {changed}."
        case State.FAILED:
            return f"Failed. {changed}."
    return f"{changed}.{_unchanged(one)}"


def _unchanged(one: BulkTagging) -> str:
    left = one.seen - one.changed
    if not left:
        return ""
    return f" {in_words(left)} {'had it already' if one.adds else 'did not have it'}."


def _refused(request: HttpRequest, words: str) -> HttpResponse:
    context = {"words": words, "query": request.POST.get("query", "")}
    return render(request, "history/bulk_refused.html", context, status=REFUSED)
