"""`/calls/export/` and `/exports/`: the list of calls as a file, sent at once or made in the background."""

from typing import cast

from asgiref.sync import async_to_sync
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connections_app.history.asked import Refused, form_of, pinned
from connections_app.history.bulk import filter_words
from connections_app.history.exports import fetching, making, streaming, writing
from connections_app.history.exports.making import Named
from connections_app.history.exports.writing import Asked, Format
from connections_app.history.filters import filtered
from connections_app.history.tasks import make_export
from connections_app.history.views.answering import is_htmx, queue, see
from connections_app.history.views.call import call
from connections_app.models import Export, Operator
from connections_app.recording import address_of

State = Export.State
BAD_REQUEST, CONFLICT, UNAVAILABLE = 400, 409, 503
RETRY_AFTER = "10"  # seconds
TYPES = {Format.CSV: "text/csv; charset=utf-8", Format.NDJSON: "application/x-ndjson"}


@require_http_methods(["GET", "HEAD", "POST"])
def export_calls(request: HttpRequest) -> HttpResponseBase:
    """With POST all calls that `query` asks for, as a file; else the call whose id is “export”."""
    if request.method != "POST":
        return call(request, "export")
    try:
        named = _named(request)
        if named.count.calls <= writing.AT_ONCE:
            return _sent(request, named)
        made = making.begin(named, _person(request), address_of(request))
    except Refused as problem:
        return _refused(request, str(problem), BAD_REQUEST)
    except streaming.Busy:
        words = "Several exports are being sent just now. Try again in a few seconds."
        answer = _refused(request, words, UNAVAILABLE)
        answer.headers["Retry-After"] = RETRY_AFTER
        return answer
    queue(request, make_export, made.pk)
    return see(made)


@never_cache
@require_safe
def exports(request: HttpRequest) -> HttpResponse:
    """The exports of the person who asks, newest first."""
    own = _own(request).order_by("-asked_at", "-pk")
    context = {
        "exports": [_described(one) for one in own],
        "now": timezone.now(),
        "days": making.KEPT.days,
        "at_once": f"{writing.AT_ONCE:,}",
    }
    return render(request, "history/exports.html", context)


@never_cache
@require_safe
def show_export(request: HttpRequest, pk: int) -> HttpResponse:
    """How far an export is; for htmx, the part of the page that changes."""
    return _state(request, _one(request, pk))


@require_safe
def fetch_export(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The file, once it is there, or the part of it that a Range header asks for."""
    one = _one(request, pk)
    if one.state != State.DONE:
        return see(one)
    headers = _headers(one.name, Format(one.format)) | {"Cache-Control": "private, no-cache"}
    try:
        return fetching.answer(request, making.path_of(one), f"{one.file_name}-{one.length}", headers)
    except FileNotFoundError:
        raise Http404 from None


@require_POST
def stop_export(request: HttpRequest, pk: int) -> HttpResponse:
    one = _one(request, pk)
    making.stop(one)
    return _changed(request, pk)


@require_POST
def go_on_with_export(request: HttpRequest, pk: int) -> HttpResponse:
    """Have one that was stopped, or failed, made to its end."""
    one = _one(request, pk)
    if making.go_on(one, _person(request), address_of(request)):
        queue(request, make_export, one.pk)
    return _changed(request, pk)


@require_POST
def delete_export(request: HttpRequest, pk: int) -> HttpResponse:
    making.delete(_one(request, pk))
    return see("exports")


def _person(request: HttpRequest) -> Operator:
    return cast(Operator, request.user)


def _own(request: HttpRequest) -> QuerySet[Export]:
    return Export.objects.filter(owner=_person(request))


def _one(request: HttpRequest, pk: int) -> Export:
    """One's own; of another's nobody learns that it is there."""
    return get_object_or_404(_own(request), pk=pk)


def _named(request: HttpRequest) -> Named:
    """What the form asks for. Raises `Refused`."""
    if (format := request.POST.get("format", Format.CSV)) not in Format:
        raise Refused("Choose CSV or JSON lines.")
    query = QueryDict(request.POST.get("query", ""))
    form = form_of(query)
    asked = Asked(
        pinned(query),
        Format(format),
        writing.columns_for(_person(request)),
        timezone.get_current_timezone_name(),
    )
    return Named(asked, writing.file_name(form, asked.format), writing.counted(filtered(form)))


def _sent(request: HttpRequest, named: Named) -> HttpResponseBase:
    """The file as it is read. Raises `Busy`, `Refused`."""
    pieces = async_to_sync(streaming.begun)(named.asked)
    making.record_sending(named, _person(request), address_of(request))
    # "identity" keeps it from being packed, piece by piece, in the one thread that serves everybody.
    headers = {"Content-Encoding": "identity", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(pieces, headers=headers | _headers(named.name, named.asked.format))


def _headers(name: str, format: Format) -> dict[str, str]:
    return {"Content-Type": TYPES[format], "Content-Disposition": f'attachment; filename="{name}"'}


def _changed(request: HttpRequest, pk: int) -> HttpResponse:
    return _state(request, _one(request, pk)) if is_htmx(request) else see("export", pk)


def _state(request: HttpRequest, one: Export) -> HttpResponse:
    template = "history/_export_state.html" if is_htmx(request) else "history/export.html"
    return render(request, template, _described(one) | {"now": timezone.now(), "days": making.KEPT.days})


def _described(one: Export) -> dict[str, object]:
    return {
        "export": one,
        "sentence": _sentence(one),
        "words": filter_words(one.query) or "All calls",
        "of": max(1, one.counted, one.written),
        "is_open": one.state in making.OPEN,
        "may_go_on": one.state in making.MAY_GO_ON,
        "is_there": one.state == State.DONE,
        "kept_until": one.ended_at and one.ended_at + making.KEPT,
    }


def _sentence(one: Export) -> str:
    """How far it is, in words."""
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


def _refused(request: HttpRequest, words: str, status: int) -> HttpResponse:
    context = {"words": words, "query": request.POST.get("query", "")}
    return render(request, "history/export_refused.html", context, status=status)
