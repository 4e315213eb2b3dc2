"""`/routines/`: the library, one routine, its versions, and the editor."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connections_app.access.permissions import may_edit_routines
from connections_app.audit.log import address_of
from connections_app.calls.dialling import NotDialled, Objection
from connections_app.models import Routine, UsedBy
from connections_app.routines import editing, library, listing
from connections_app.routines.comparison import compare_lines, version
from connections_app.routines.controls import view
from connections_app.routines.editing import Editor
from connections_app.routines.forms import NumberForm, PublishForm, RevisionForm, RoutineForm
from connections_app.routines.library import Actor, ChangedMeanwhile, InUse, NameTaken, NotReady
from connections_app.sift.commands import COMMANDS, Undocumented
from connections_app.sift.routine import check, json_schema
from connections_app.web.request import SignedInRequest, only_if

NAME_TAKEN = "Another routine has this name."
# The commands that can be added: name, icon and label.
MENU = [
    *((name, one.icon, one.label) for name, one in COMMANDS.items()),
    ("", Undocumented.icon, Undocumented.label),
]

SAVING_ACTIONS = ("save", "publish")

edit_required = only_if(may_edit_routines)


@require_safe
def show_routines(request: SignedInRequest) -> HttpResponse:
    """Show the list, or with `?archived=1` the archived routines."""
    archived = request.GET.get("archived") == "1"
    context = {"rows": listing.rows(archived=archived), "archived": archived, "now": timezone.now()}
    return render(request, "routines/routines.html", context)


@require_safe
def show_routine(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show a routine: its commands, its versions and what uses it."""
    return _page(request, _found(pk))


@require_safe
def schema(request: SignedInRequest) -> HttpResponse:
    """Return the JSON Schema of a routine."""
    return JsonResponse(json_schema())


@require_safe
def compare(request: SignedInRequest, pk: int) -> HttpResponse:
    """Compare two versions, `from` and `to`: a number or `draft`, by default the published one."""
    routine = _found(pk)
    names = library.names()
    published = str(routine.published.number) if routine.published else ""
    before, after = (version(routine, request.GET.get(which, published), names) for which in ("from", "to"))
    if before is None or after is None:
        raise Http404
    context = {
        "routine": routine,
        "before": before,
        "after": after,
        "lines": compare_lines(before.text, after.text),
        "versions": routine.versions.defer("commands"),
        "now": timezone.now(),
    }
    return render(request, "routines/compare.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@edit_required
def edit(request: SignedInRequest, pk: int | None = None) -> HttpResponse:
    """Show the editor. A POST checks what is typed; its `do` saves, publishes or changes the forms."""
    routine = None if pk is None else Routine.objects.select_related("published").filter(pk=pk).first()
    if request.method != "POST":
        return _open(request, routine, pk)
    editor = editing.read_editor(request.POST.dict())
    do = request.POST.get("do", "")
    if do in SAVING_ACTIONS:
        # htmx reads the form while it is typed in, and may add the button that was clicked last.
        if not request.htmx:
            return _save(request, routine, pk, editor)
        do = ""
    form = RoutineForm(initial=request.POST.dict())
    is_check = not do and "keep" not in request.POST
    if request.htmx:
        template = "routines/_step.html" if is_check else "routines/_editor.html"
    else:
        template = "routines/edit.html"
    return render(request, template, _editor(request, routine, editing.apply_action(editor, do), form))


@require_POST
@edit_required
def restore(request: SignedInRequest, pk: int) -> HttpResponse:
    """Make the version `number` the draft."""

    def act(routine: Routine, revision: int, actor: Actor) -> None:
        form = NumberForm(request.POST)
        version = form.is_valid() and routine.versions.filter(number=form.cleaned_data["number"]).first()
        if not version:
            raise Http404
        library.restore(routine, version, revision, actor)

    return _act(request, pk, act)


@require_POST
@edit_required
def archive(request: SignedInRequest, pk: int) -> HttpResponse:
    """Archive a routine."""
    return _act(request, pk, library.archive)


@require_POST
@edit_required
def unarchive(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show an archived routine again."""
    return _act(request, pk, library.unarchive)


@require_POST
@edit_required
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete a routine that was never published."""
    return _act(request, pk, library.delete, then=reverse("routines"))


def _found(pk: int) -> Routine:
    return get_object_or_404(Routine.objects.select_related("published"), pk=pk)


def _actor(request: SignedInRequest) -> Actor:
    return Actor(request.user, address_of(request))


def _page(request: SignedInRequest, routine: Routine, error: str = "", status: int = 200) -> HttpResponse:
    names = library.names()
    published = routine.published
    context = {
        "routine": routine,
        "in_words": listing.in_words(published.commands, names) if published else None,
        "versions": list(routine.versions.defer("commands")),
        "uses": library.uses(routine),
        "can_edit": may_edit_routines(request.user),
        "error": error,
        "now": timezone.now(),
    }
    return render(request, "routines/routine.html", context, status=status)


def _act(
    request: SignedInRequest, pk: int, act: Callable[[Routine, int, Actor], None], then: str = ""
) -> HttpResponse:
    """Apply a button of a routine's page and redirect to `then`, or show the page with the error."""
    routine = _found(pk)
    form = RevisionForm(request.POST)
    if not form.is_valid():
        return _page(request, routine, "This cannot be understood; try again from this page.", 422)
    try:
        act(routine, form.cleaned_data["revision"], _actor(request))
    except ChangedMeanwhile:
        routine = _found(pk)
        words = f"{routine.changed_by} changed it meanwhile. This is how it is now; look before you go on."
        return _page(request, routine, words, 409)
    except InUse as error:
        return _page(request, routine, f"It cannot be archived while it is used by {error}.", 409)
    except NameTaken:
        return _page(request, routine, NAME_TAKEN, 409)
    return redirect(then or routine)


def _open(request: SignedInRequest, routine: Routine | None, pk: int | None) -> HttpResponse:
    if pk is not None and (routine is None or routine.archived_at):
        raise Http404
    initial: dict[str, Any] = {"used_by": UsedBy.OPERATORS}
    if routine:
        initial = {name: getattr(routine, name) for name in ("name", "description", "used_by", "revision")}
    editor = editing.open_editor(library.text_of(routine) if routine else "[]")
    context = _editor(request, routine, editor, RoutineForm(initial=initial))
    return render(request, "routines/edit.html", context)


def _save(request: SignedInRequest, routine: Routine | None, pk: int | None, editor: Editor) -> HttpResponse:
    """Save or publish what is typed; 422 if it is not valid, 409 if somebody else changed the routine."""
    given = request.POST.dict() | {"json": editor.text}
    publishes = given.get("do") == "publish"
    has_unknown = bool(check(editor.commands).warnings)
    form = PublishForm(given, has_unknown=has_unknown) if publishes else RoutineForm(given)
    saved = None
    marked: Sequence[Objection] = ()
    if form.is_valid() and editor.in_step:
        try:
            saved = _saved(routine, pk, form, _actor(request))
        except NameTaken:
            form.add_error("name", NAME_TAKEN)
        except NotReady as error:
            form.add_error(None, str(error))
        except NotDialled as problem:
            marked = problem.objections
            form.add_error("although_marked", "Tick this to publish it although marked.")
        except ChangedMeanwhile:
            return _conflict(request, pk, form)
    if saved is None:
        context = _editor(request, routine, editor, form) | {
            "marked": marked,
            "marked_endpoints": library.endpoints_of(marked),
        }
        return render(request, "routines/edit.html", context, status=422)
    if publishes:
        return redirect(saved)
    messages.success(request, "The draft is saved. Calls use it once it is published.")
    return redirect("routine_edit", pk=saved.pk)


def _saved(routine: Routine | None, pk: int | None, form: RoutineForm, actor: Actor) -> Routine:
    if pk is not None and routine is None:
        raise ChangedMeanwhile
    if isinstance(form, PublishForm):
        given = form.cleaned_data
        note, although = given["note"], given["although_marked"]
        return library.publish(routine, form.typed(), note, actor, although_marked=although).routine
    return library.save(routine, form.typed(), actor)


def _conflict(request: SignedInRequest, pk: int | None, form: RoutineForm) -> HttpResponse:
    """Show what was typed next to the current routine, if it still exists."""
    theirs = None if pk is None else Routine.objects.select_related("published").filter(pk=pk).first()
    theirs_text = library.text_of(theirs) if theirs else ""
    mine = form.typed()
    context = {
        "form": form,
        "mine": mine,
        "theirs_text": theirs_text,
        "theirs": theirs,
        "lines": compare_lines(theirs_text, mine.text) if theirs else [],
        "do": "publish" if isinstance(form, PublishForm) else "save",
        "now": timezone.now(),
    }
    return render(request, "routines/conflict.html", context, status=409)


def _editor(
    request: SignedInRequest, routine: Routine | None, editor: Editor, form: RoutineForm
) -> dict[str, Any]:
    return {
        "routine": routine,
        "editor": editor,
        "view": view(editor, library.names()),
        "form": form,
        "note": request.POST.get("note", ""),
        "unknown": "unknown" in request.POST,
        "menu": MENU,
        "here": request.path,
        "now": timezone.now(),
    }
