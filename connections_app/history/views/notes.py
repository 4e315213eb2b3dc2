"""`/calls/<connection_id>/notes/`: notes are written, changed, taken away and put back."""

from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST

from connections_app.history import noting
from connections_app.history.forms import NoteChangeForm, NoteForm
from connections_app.history.views.answering import REFUSED, is_htmx, see
from connections_app.history.views.call import call_page, note_id, request_of, timeline_context
from connections_app.models import Connection, Note, Operator


@require_POST
def write_note(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Write a note. For htmx: the form anew, and the timeline with the note in it."""
    author = cast(Operator, request.user)
    call = get_object_or_404(Connection, connection_id=connection_id)
    if not noting.may_write(author):
        raise PermissionDenied
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _refused(request, call, form)
    noting.write(call, form.cleaned_data["text"], author, form.cleaned_data["request_id"])
    if not is_htmx(request):
        return see(call, anchor="#timeline")
    return _with_timeline(request, call, "history/_note_form.html", _form_context(NoteForm(None)))


@require_http_methods(["GET", "HEAD", "POST"])
def change_note(request: HttpRequest, connection_id: str, pk: int) -> HttpResponse:
    """The form that changes a note, and with POST the change."""
    operator = cast(Operator, request.user)
    note = _note(connection_id, pk)
    if not noting.may_change(operator, note):
        raise PermissionDenied
    if request.method != "POST":
        return _change_page(request, note, NoteChangeForm(None, initial={"text": note.text}))
    form = NoteChangeForm(request.POST)
    if not form.is_valid():
        return _change_page(request, note, form, REFUSED)
    try:
        noting.change(note, form.cleaned_data["text"], operator, form.cleaned_data["as_of"])
    except noting.ChangedMeanwhile as problem:
        form.add_error("text", _meanwhile(problem.note))
        return _change_page(request, problem.note, form, REFUSED)
    if not is_htmx(request):
        return see(note.connection, anchor=f"#note-{note.pk}")
    return _with_timeline(request, note.connection, "history/_note_changed.html", {})


@require_POST
def take_note_away(request: HttpRequest, connection_id: str, pk: int) -> HttpResponse:
    note = _note(connection_id, pk)
    noting.take_away(note, cast(Operator, request.user))
    return _timeline(request, note)


@require_POST
def put_note_back(request: HttpRequest, connection_id: str, pk: int) -> HttpResponse:
    note = _note(connection_id, pk)
    noting.put_back(note, cast(Operator, request.user))
    return _timeline(request, note)


def _note(connection_id: str, pk: int) -> Note:
    notes = Note.objects.select_related("connection").defer("connection__raw", "connection__searched")
    return get_object_or_404(notes, connection__connection_id=connection_id, pk=pk)


def _meanwhile(note: Note) -> str:
    """What to say to who comes second."""
    if note.removed_at:
        return f"{note.removed_by} took this note away meanwhile. Put it back on the call's page first."
    by = note.earlier_texts.latest("pk").replaced_by
    return f"{by} changed this note meanwhile. It now reads: “{note.text}”. Save again to put yours there."


def _refused(request: HttpRequest, call: Connection, form: NoteForm) -> HttpResponse:
    if not is_htmx(request):
        return call_page(request, call, form, REFUSED)
    context = _form_context(form) | {"call": call}
    return render(request, "history/_note_form.html", context, status=REFUSED)


def _form_context(form: NoteForm) -> dict[str, Any]:
    return {"note_form": form, "note_id": note_id(form)}


def _change_page(request: HttpRequest, note: Note, form: NoteChangeForm, status: int = 200) -> HttpResponse:
    template = "history/_note_change.html" if is_htmx(request) else "history/note.html"
    context = {"note": note, "form": form, "call": note.connection}
    return render(request, template, context, status=status)


def _timeline(request: HttpRequest, note: Note) -> HttpResponse:
    if not is_htmx(request):
        return see(note.connection, anchor=f"#note-{note.pk}")
    return render(request, "history/_timeline.html", _timeline_context(request, note.connection))


def _with_timeline(
    request: HttpRequest, call: Connection, template: str, context: dict[str, Any]
) -> HttpResponse:
    """A fragment in its own place, and beside it the timeline in its."""
    shown = _timeline_context(request, call) | context | {"beside_it": True}
    answer = render(request, template, shown)
    answer.content += render(request, "history/_timeline.html", shown).content
    return answer


def _timeline_context(request: HttpRequest, call: Connection) -> dict[str, Any]:
    return timeline_context(request, call, request_of(call))
