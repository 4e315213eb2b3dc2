"""`/calls/<connection_id>/notes/`: write, change, remove and restore notes."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST

from connections_app.access.permissions import check_may_change_note, check_may_write_notes
from connections_app.call_page import notes
from connections_app.call_page.forms import NoteChangeForm, NoteForm
from connections_app.call_page.views import call_page, note_id, request_of, timeline_context
from connections_app.models import Connection, Note
from connections_app.web.request import SignedInRequest
from connections_app.web.responses import CONFLICT, REFUSED, see_other

USED_FORM = "Another note was written with this form before. Save again to add this text as a new note."


@require_POST
def write_note(request: SignedInRequest, connection_id: str) -> HttpResponse:
    """Write a note. For htmx, return an empty form and the timeline with the note."""
    author = request.user
    call = get_object_or_404(Connection, connection_id=connection_id)
    check_may_write_notes(author)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _refused(request, call, form)
    try:
        notes.write(call, form.cleaned_data["text"], author, form.cleaned_data["request_id"])
    except notes.OtherNote:
        # The form is shown with the typed text and a new id.
        del form.cleaned_data["request_id"]
        form.add_error("text", USED_FORM)
        return _refused(request, call, form, CONFLICT)
    if not request.htmx:
        return see_other(call, fragment="#timeline")
    return _with_timeline(request, call, "call_page/_note_form.html", _form_context(NoteForm(None)))


@require_http_methods(["GET", "HEAD", "POST"])
def change_note(request: SignedInRequest, connection_id: str, pk: int) -> HttpResponse:
    """Show the form that changes a note; with POST, change the note."""
    operator = request.user
    note = _note(connection_id, pk)
    check_may_change_note(operator, note)
    if request.method != "POST":
        return _change_page(request, note, NoteChangeForm(None, initial={"text": note.text}))
    form = NoteChangeForm(request.POST)
    if not form.is_valid():
        return _change_page(request, note, form, REFUSED)
    try:
        notes.change(note, form.cleaned_data["text"], operator, form.cleaned_data["as_of"])
    except notes.ChangedMeanwhile as problem:
        form.add_error("text", _conflict_message(problem.note))
        return _change_page(request, problem.note, form, REFUSED)
    if not request.htmx:
        return see_other(note.connection, fragment=f"#note-{note.pk}")
    return _with_timeline(request, note.connection, "call_page/_note_changed.html", {})


@require_POST
def remove_note(request: SignedInRequest, connection_id: str, pk: int) -> HttpResponse:
    """Remove a note. For htmx, return the timeline."""
    note = _note(connection_id, pk)
    notes.remove(note, request.user)
    return _timeline(request, note)


@require_POST
def restore_note(request: SignedInRequest, connection_id: str, pk: int) -> HttpResponse:
    """Restore a removed note. For htmx, return the timeline."""
    note = _note(connection_id, pk)
    notes.restore(note, request.user)
    return _timeline(request, note)


def _note(connection_id: str, pk: int) -> Note:
    notes = Note.objects.select_related("connection").defer("connection__raw")
    return get_object_or_404(notes, connection__connection_id=connection_id, pk=pk)


def _conflict_message(note: Note) -> str:
    """Return the message for a person whose change came after another one."""
    if note.removed_at:
        return f"{note.removed_by} took this note away meanwhile. Put it back on the call's page first."
    by = note.earlier_texts.latest("pk").replaced_by
    return f"{by} changed this note meanwhile. It now reads: “{note.text}”. Save again to put yours there."


def _refused(
    request: SignedInRequest, call: Connection, form: NoteForm, status: int = REFUSED
) -> HttpResponse:
    if not request.htmx:
        return call_page(request, call, form, status)
    context = _form_context(form) | {"call": call}
    return render(request, "call_page/_note_form.html", context, status=status)


def _form_context(form: NoteForm) -> dict[str, Any]:
    return {"note_form": form, "note_id": note_id(form)}


def _change_page(
    request: SignedInRequest, note: Note, form: NoteChangeForm, status: int = 200
) -> HttpResponse:
    template = "call_page/_note_change.html" if request.htmx else "call_page/note.html"
    context = {"note": note, "form": form, "call": note.connection}
    return render(request, template, context, status=status)


def _timeline(request: SignedInRequest, note: Note) -> HttpResponse:
    if not request.htmx:
        return see_other(note.connection, fragment=f"#note-{note.pk}")
    return render(request, "call_page/_timeline.html", _timeline_context(request, note.connection))


def _with_timeline(
    request: SignedInRequest, call: Connection, template: str, context: dict[str, Any]
) -> HttpResponse:
    """Return a fragment, followed by the timeline, which htmx swaps into its own place."""
    shown = _timeline_context(request, call) | context | {"beside_it": True}
    answer = render(request, template, shown)
    answer.content += render(request, "call_page/_timeline.html", shown).content
    return answer


def _timeline_context(request: SignedInRequest, call: Connection) -> dict[str, Any]:
    return timeline_context(request, call, request_of(call))
