"""`/calls/export/` and `/exports/`: calls as a file, sent at once or made in the background."""

from asgiref.sync import async_to_sync
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from connections_app.audit.log import address_of
from connections_app.call_list.filters import filtered
from connections_app.call_list.query import InvalidQuery, filter_words, form_of, in_country, with_fixed_dates
from connections_app.exports import making, streaming, writing
from connections_app.exports.making import NamedExport
from connections_app.exports.tasks import make_export
from connections_app.exports.writing import ExportRequest, Format
from connections_app.models import Export
from connections_app.web.concurrency import Busy, Slot
from connections_app.web.file_responses import sent
from connections_app.web.request import SignedInRequest
from connections_app.web.responses import BAD_REQUEST, UNAVAILABLE, queue, see_other

State = Export.State
RETRY_AFTER_SECONDS = "10"
CONTENT_TYPES = {Format.CSV: "text/csv; charset=utf-8", Format.NDJSON: "application/x-ndjson"}


@require_POST
def export_calls(request: SignedInRequest) -> HttpResponseBase:
    """Send all calls that match `query` as a file, or queue it if they are many."""
    try:
        named = _named(request)
        if named.count.calls <= writing.INLINE_LIMIT:
            return _sent(request, named)
        made = making.begin(named, request.user, address_of(request))
    except InvalidQuery as problem:
        return _refused(request, str(problem), BAD_REQUEST)
    except Busy as busy:
        answer = _refused(request, str(busy), UNAVAILABLE)
        answer.headers["Retry-After"] = RETRY_AFTER_SECONDS
        return answer
    queue(request, make_export, made.pk)
    return see_other(made)


@never_cache
@require_safe
def exports(request: SignedInRequest) -> HttpResponse:
    """Show the person's own exports, newest first."""
    own = _own(request).order_by("-asked_at", "-pk")
    context = {
        "exports": [_described(one) for one in own],
        "now": timezone.now(),
        "days": making.KEPT_FOR.days,
        "at_once": f"{writing.INLINE_LIMIT:,}",
    }
    return render(request, "exports/exports.html", context)


@never_cache
@require_safe
def show_export(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the progress of an export; htmx receives only the part that changes."""
    return _state(request, _one(request, pk))


@require_safe
def fetch_export(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """Send the file, or redirect to the export if it is not ready."""
    one = _one(request, pk)
    if one.state != State.DONE:
        return see_other(one)
    try:
        file = making.path_of(one).open("rb")
    except FileNotFoundError:
        raise Http404 from None
    # "identity" prevents compression, with which Content-Length would be lost.
    headers = {"Cache-Control": "private, no-cache", "Content-Encoding": "identity"}
    headers |= _headers(one.name, Format(one.format)) | {"Content-Length": str(one.length)}
    return StreamingHttpResponse(sent(streaming.file_chunks(file)), headers=headers)


@require_POST
def stop_export(request: SignedInRequest, pk: int) -> HttpResponse:
    """Stop an export that is waiting or running."""
    one = _one(request, pk)
    making.stop(one)
    return _changed(request, pk)


@require_POST
def start_export_again(request: SignedInRequest, pk: int) -> HttpResponse:
    """Queue an export that was stopped, or failed, from its beginning."""
    one = _one(request, pk)
    if making.start_again(one, request.user, address_of(request)):
        queue(request, make_export, one.pk)
    return _changed(request, pk)


@require_POST
def delete_export(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete an export and its file."""
    making.delete(_one(request, pk))
    return see_other("exports")


def _own(request: SignedInRequest) -> QuerySet[Export]:
    return Export.objects.filter(owner=request.user)


def _one(request: SignedInRequest, pk: int) -> Export:
    """Return one's own export. Another person's is not found, so that nobody learns of it."""
    return get_object_or_404(_own(request), pk=pk)


def _named(request: SignedInRequest) -> NamedExport:
    """Return the export that the form requests. Raises `InvalidQuery`."""
    if (format := request.POST.get("format", Format.CSV)) not in Format:
        raise InvalidQuery("Choose CSV or JSON lines.")
    query = request.POST.get("query", "")
    country = request.user.dials_from
    form = form_of(QueryDict(in_country(query, country)))
    requested = ExportRequest(
        with_fixed_dates(QueryDict(query), country),
        Format(format),
        writing.columns_for(request.user),
        timezone.get_current_timezone_name(),
    )
    return NamedExport(requested, writing.file_name(form, requested.format), writing.count(filtered(form)))


def _sent(request: SignedInRequest, named: NamedExport) -> HttpResponseBase:
    """Send the file while it is read. Raises `Busy` and `InvalidQuery`."""
    pieces = async_to_sync(streaming.start)(named.request, Slot(request.user.pk))
    making.record_sending(named, request.user, address_of(request))
    # "identity" prevents compression, which would block the one thread that serves everybody.
    headers = {"Content-Encoding": "identity", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(pieces, headers=headers | _headers(named.name, named.request.format))


def _headers(name: str, format: Format) -> dict[str, str]:
    return {"Content-Type": CONTENT_TYPES[format], "Content-Disposition": f'attachment; filename="{name}"'}


def _changed(request: SignedInRequest, pk: int) -> HttpResponse:
    return _state(request, _one(request, pk)) if request.htmx else see_other("export", pk)


def _state(request: SignedInRequest, one: Export) -> HttpResponse:
    template = "exports/_export_state.html" if request.htmx else "exports/export.html"
    return render(request, template, _described(one) | {"now": timezone.now(), "days": making.KEPT_FOR.days})


def _described(one: Export) -> dict[str, object]:
    return {
        "export": one,
        "sentence": _sentence(one),
        "words": filter_words(one.query) or "All calls",
        "of": max(1, one.counted, one.written),
        "is_open": one.state in making.OPEN,
        "may_start_again": one.state in making.MAY_START_AGAIN,
        "is_there": one.state == State.DONE,
        "kept_until": one.ended_at and one.ended_at + making.KEPT_FOR,
    }


def _sentence(one: Export) -> str:
    """Return its progress, in words."""
    match one.state:
        case State.WAITING:
            return "Waiting for its turn."
        case State.RUNNING:
            return f"{one.written:,} of about {one.counted:,} calls written."
        case State.DONE:
            return f"Ready: {one.written:,} calls."
        case State.STOPPED:
            return f"Stopped after {one.written:,} calls."
    return f"Failed after {one.written:,} calls."


def _refused(request: SignedInRequest, words: str, status: int) -> HttpResponse:
    context = {"words": words, "query": request.POST.get("query", "")}
    return render(request, "exports/export_refused.html", context, status=status)
