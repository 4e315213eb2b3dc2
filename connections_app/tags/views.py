"""`/calls/tags/`: all tags, and the tags of one call."""

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connections_app.access.permissions import (
    check_may_change_tags,
    check_may_delete_tags,
    check_may_make_tags,
    check_may_tag,
    may_change_tags,
    may_tag,
)
from connections_app.audit.log import address_of
from connections_app.models import BulkTagging, CallTag, Colour, Connection, Operator, Tag
from connections_app.saved_views import saving
from connections_app.tags import tagging
from connections_app.tags.forms import LONGEST_NAME, TagForm
from connections_app.web.request import SignedInRequest
from connections_app.web.responses import REFUSED, see_other

MAX_RECENT_BULK = 20


@require_http_methods(["GET", "HEAD", "POST"])
def tags(request: SignedInRequest) -> HttpResponse:
    """Show all tags; make one on POST."""
    operator = request.user
    if request.method == "POST":
        return _make(request, operator)
    return _tags_page(request, TagForm(None))


@require_safe
def tag_names(request: SignedInRequest) -> HttpResponse:
    """Return the names of all tags, as suggestions for a field."""
    return render(request, "tags/_tag_names.html", {"names": Tag.objects.values_list("name", flat=True)})


@require_http_methods(["GET", "HEAD", "POST"])
def change_tag(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the form that renames and recolours a tag; change it on POST."""
    operator = request.user
    tag = get_object_or_404(Tag, pk=pk)
    check_may_change_tags(operator)
    if request.method != "POST":
        return _change_page(request, tag, TagForm(None, initial={"name": tag.name, "colour": tag.colour}))
    form = TagForm(request.POST)
    if form.is_valid():
        try:
            tagging.change(
                tag, form.cleaned_data["name"], form.cleaned_data["colour"], operator, address_of(request)
            )
            return see_other("tags")
        except tagging.NameTaken as problem:
            form.add_error("name", str(problem))
    return _change_page(request, tag, form, REFUSED)


@require_http_methods(["GET", "HEAD", "POST"])
def delete_tag(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask for confirmation, with the number of its calls; delete the tag on POST."""
    operator = request.user
    check_may_delete_tags(operator)
    tag = get_object_or_404(Tag, pk=pk)
    if request.method != "POST":
        calls, views = CallTag.objects.filter(tag=tag).count(), len(saving.views_with_tag(tag.name))
        return render(request, "tags/tag_delete.html", {"tag": tag, "calls": calls, "views": views})
    tagging.delete(tag, operator, address_of(request))
    return see_other("tags")


@require_POST
def tag_call(request: SignedInRequest, connection_id: str) -> HttpResponse:
    """Add the tag named `put` to a call, or remove the one named `off`. htmx receives the resulting tags."""
    operator = request.user
    one = get_object_or_404(Connection.objects.for_rows(), connection_id=connection_id)
    check_may_tag(operator)
    problem = _add_or_remove(request, one, operator)
    if not request.htmx and not problem:
        return see_other(one)
    context = tagging.tags_context(one, operator) | {"problem": problem, "typed": request.POST.get("put", "")}
    template = "tags/_tagged.html" if request.htmx else "tags/tag_refused.html"
    return render(request, template, context, status=REFUSED if problem else 200)


def _add_or_remove(request: SignedInRequest, one: Connection, operator: Operator) -> str:
    """Add or remove the tag. Returns the reason if that fails, else an empty string."""
    address = address_of(request)
    form = TagForm({"name": request.POST.get("put") or request.POST.get("off"), "colour": Colour.BLUE})
    if not form.is_valid():
        return " ".join(map(str, form.errors["name"]))
    name = form.cleaned_data["name"]
    if "off" in request.POST:
        if tag := tagging.find(name):
            tagging.remove_from(tag, one, operator, address)
        return ""
    try:
        tagging.add_to(tagging.find_or_make(name, operator, address), one, operator, address)
    except tagging.NoSuchTag as problem:
        return str(problem)
    except Tag.DoesNotExist:
        return f"“{name}” was deleted a moment ago."
    return ""


def _make(request: SignedInRequest, operator: Operator) -> HttpResponse:
    check_may_make_tags(operator)
    form = TagForm(request.POST)
    if form.is_valid():
        try:
            tagging.make(
                form.cleaned_data["name"], form.cleaned_data["colour"], operator, address_of(request)
            )
            return see_other("tags")
        except tagging.NameTaken as problem:
            form.add_error("name", str(problem))
    return _tags_page(request, form, REFUSED)


def _tags_page(request: SignedInRequest, form: TagForm, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "tags": tagging.with_counts(),
        "counted_to": tagging.MAX_COUNTED,
        "colours": Colour.choices,
        "longest": LONGEST_NAME,
        "recent": _recent_bulk(request.user),
        "now": timezone.now(),
    }
    return render(request, "tags/tags.html", context, status=status)


def _recent_bulk(operator: Operator) -> list[BulkTagging]:
    """Return the latest bulk taggings that `operator` may see: a supervisor all, others their own."""
    if not may_tag(operator):
        return []
    visible = Q() if may_change_tags(operator) else Q(operator=operator)
    recent = BulkTagging.objects.filter(visible).select_related("tag").defer("keys")
    return list(recent.order_by("-pk")[:MAX_RECENT_BULK])


def _change_page(request: SignedInRequest, tag: Tag, form: TagForm, status: int = 200) -> HttpResponse:
    context = {"tag": tag, "form": form, "colours": Colour.choices, "longest": LONGEST_NAME}
    return render(request, "tags/tag.html", context, status=status)
