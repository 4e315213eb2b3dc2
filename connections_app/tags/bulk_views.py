"""`/calls/tags/bulk/`: start, confirm, show, stop and undo the tagging of many calls."""

from typing import Any

from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from connections_app.access.permissions import check_may_tag, may_make_tags, may_stop_bulk
from connections_app.audit.log import address_of
from connections_app.call_list.query import InvalidQuery, filter_words, in_country
from connections_app.models import BulkTagging, Operator, Tag
from connections_app.tags import bulk, tagging
from connections_app.tags.bulk import BulkRequest
from connections_app.tags.forms import BulkForm
from connections_app.tags.tagging import in_words
from connections_app.tags.tasks import tag_calls
from connections_app.web.request import SignedInRequest
from connections_app.web.responses import REFUSED, queue, see_other

State = BulkTagging.State
# The signature binds a confirmation to the calls that were counted for it.
SALT = "tagging all that match"
CONFIRM_TIMEOUT_SECONDS = 3600


@require_POST
def bulk_tag(request: SignedInRequest) -> HttpResponse:
    """Tag the selected calls; for all that match, ask for confirmation first."""
    operator = request.user
    check_may_tag(operator)
    form = BulkForm(request.POST)
    if not form.is_valid():
        return _refused(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    cleaned = form.cleaned_data
    try:
        if cleaned["scope"] == BulkForm.ALL:
            return _question(request, cleaned)
        return _begin(request, operator, _selected(cleaned, operator, address_of(request)))
    except (InvalidQuery, tagging.NoSuchTag) as problem:
        return _refused(request, str(problem))


@require_POST
def confirm_bulk(request: SignedInRequest) -> HttpResponse:
    """Tag all calls that matched when the confirmation was requested."""
    operator = request.user
    check_may_tag(operator)
    try:
        confirmed = signing.loads(request.POST.get("asked", ""), salt=SALT, max_age=CONFIRM_TIMEOUT_SECONDS)
        requested = _confirmed(confirmed, operator, address_of(request))
    except signing.BadSignature:
        return _refused(request, "The question was asked too long ago. Ask again from the list.")
    except tagging.NoSuchTag as problem:
        return _refused(request, str(problem))
    return _begin(request, operator, requested)


@never_cache
@require_safe
def show_bulk(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the progress of a bulk tagging; htmx receives only the part that changes."""
    return _state(request, _one(request, pk))


@require_POST
def stop_bulk(request: SignedInRequest, pk: int) -> HttpResponse:
    """Stop a bulk tagging after its current batch."""
    one = _one(request, pk)
    bulk.stop(one, request.user, address_of(request))
    return _state(request, one) if request.htmx else see_other("bulk", pk)


@require_POST
def undo_bulk(request: SignedInRequest, pk: int) -> HttpResponse:
    """Undo a bulk tagging: at once if it changed few calls, else in the background."""
    one = _one(request, pk)
    if bulk.undo(one, request.user, address_of(request)):
        _work(request, one, one.changed)
    return _state(request, _one(request, pk)) if request.htmx else see_other("bulk", pk)


def _one(request: SignedInRequest, pk: int) -> BulkTagging:
    one = get_object_or_404(BulkTagging.objects.select_related("tag"), pk=pk)
    if not may_stop_bulk(request.user, one):
        raise PermissionDenied
    return one


def _selected(cleaned: dict[str, Any], operator: Operator, address: str | None) -> BulkRequest:
    keys = sorted(set(cleaned["call"]))
    adds = cleaned["do"] == BulkForm.ADD
    return BulkRequest(
        tag=_tag(cleaned["tag"], adds, operator, address),
        adds=adds,
        keys=keys,
        query=cleaned["query"],
        time_zone=timezone.get_current_timezone_name(),
        counted=len(keys),
        last_key=keys[-1],
    )


def _question(request: SignedInRequest, cleaned: dict[str, Any]) -> HttpResponse:
    """Ask for confirmation. A new tag is made only after that."""
    operator = request.user
    adds, name = cleaned["do"] == BulkForm.ADD, cleaned["tag"]
    found = tagging.find(name)
    if not found and not (adds and may_make_tags(operator)):
        raise tagging.NoSuchTag(_no_such(name, adds))
    zone = timezone.get_current_timezone_name()
    query = in_country(cleaned["query"], operator.dials_from)
    matching = bulk.matching(query, zone)
    requested = {
        "tag": found.name if found else name,
        "adds": adds,
        "query": query,
        "time_zone": zone,
        "counted": matching.calls,
        "last_key": matching.last_key,
    }
    context = requested | {
        "found": found,
        "counted_words": in_words(matching.calls),
        "words": matching.words,
        "at_once": matching.calls <= bulk.INLINE_LIMIT,
        "signed": signing.dumps(requested, salt=SALT, compress=True),
    }
    return render(request, "tags/bulk_question.html", context)


def _confirmed(confirmed: dict[str, Any], operator: Operator, address: str | None) -> BulkRequest:
    tag = _tag(confirmed.pop("tag"), confirmed["adds"], operator, address)
    return BulkRequest(tag=tag, keys=None, **confirmed)


def _tag(name: str, adds: bool, operator: Operator, address: str | None) -> Tag:
    """Return the tag of this name, made if it is new and to be added. Raises `NoSuchTag`."""
    if adds:
        return tagging.find_or_make(name, operator, address)
    if found := tagging.find(name):
        return found
    raise tagging.NoSuchTag(_no_such(name, adds))


def _no_such(name: str, adds: bool) -> str:
    return f"There is no tag “{name}”. A supervisor makes new ones." if adds else f"There is no tag “{name}”."


def _begin(request: SignedInRequest, operator: Operator, requested: BulkRequest) -> HttpResponse:
    started = bulk.begin(requested, operator, address_of(request))
    _work(request, started, requested.counted)
    return see_other("bulk", started.pk)


def _work(request: SignedInRequest, one: BulkTagging, calls: int) -> None:
    """Run it now if it has few calls, else queue it."""
    if calls <= bulk.INLINE_LIMIT:
        bulk.work(one.pk)
        return
    queue(request, tag_calls, one.pk)


def _state(request: SignedInRequest, one: BulkTagging) -> HttpResponse:
    template = "tags/_bulk_state.html" if request.htmx else "tags/bulk.html"
    is_undoing = one.state == State.UNDOING
    context = {
        "bulk": one,
        "sentence": _sentence(one),
        "words": filter_words(one.query) or "Every call there was",
        "done": one.undone if is_undoing else one.seen,
        "of": max(1, one.changed if is_undoing else one.counted),
        "is_open": one.state in bulk.OPEN,
        "may_be_stopped": one.state in bulk.MAY_BE_STOPPED,
        "may_be_undone": one.state in bulk.MAY_BE_UNDONE and one.changed,
        "now": timezone.now(),
    }
    return render(request, template, context)


def _sentence(one: BulkTagging) -> str:
    """Return its progress, in words."""
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


def _refused(request: SignedInRequest, words: str) -> HttpResponse:
    context = {"words": words, "query": request.POST.get("query", "")}
    return render(request, "tags/bulk_refused.html", context, status=REFUSED)
