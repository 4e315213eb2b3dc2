"""`/contacts/`: list, show, add, change, delete and restore contacts."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connections_app.access.permissions import check_may_edit_contacts, may_allow_calling, may_delete_contact
from connections_app.audit.log import address_of
from connections_app.calls.contact_lookup import contact_of
from connections_app.calls.endpoints import Endpoint, endpoint_of
from connections_app.contacts import changes, listing
from connections_app.contacts.changes import ChangedMeanwhile, ContactExists, ContactFields
from connections_app.contacts.endpoint_input import InvalidEndpoint, parse_endpoint
from connections_app.contacts.forms import ContactForm, ContactsForm, RevisionForm
from connections_app.models import Contact
from connections_app.sift.numbers import number_from_url
from connections_app.web.paging import BadPlace
from connections_app.web.request import SignedInRequest
from connections_app.web.responses import CONFLICT, REFUSED, see_other

NOTHING_FOUND = listing.ContactsPage([], None, None)
LONGEST_ENDPOINT = 300


@require_safe
def show_contacts(request: SignedInRequest) -> HttpResponse:
    """Show the list by name, filtered by `q` and `do_not_call`; offer to restore the contact `deleted`."""
    form = ContactsForm(request.GET)
    page, count = NOTHING_FOUND, ""
    if form.is_valid():
        try:
            contacts = listing.found(form, request.user.dials_from)
            page, count = listing.page(contacts, request.GET), listing.count(contacts)
        except BadPlace:
            form.add_error(None, "This place in the list cannot be understood.")
    context = {
        "form": form,
        "page": page,
        "rows": [(contact, endpoint_of(contact.endpoint)) for contact in page.contacts],
        "count": count,
        "deleted": _deleted(request.GET.get("deleted", "")),
        "now": timezone.now(),
    }
    return render(request, "contacts/contacts.html", context)


@require_safe
def contact_for(request: SignedInRequest) -> HttpResponseRedirect:
    """Redirect to the contact of `endpoint`, a number or client, or to the form that adds it."""
    endpoint = _endpoint_from_url(request)
    if contact := contact_of(endpoint):
        return redirect(contact)
    return redirect(f"{reverse('contact_new')}?{urlencode({'endpoint': endpoint})}")


@require_http_methods(["GET", "HEAD", "POST"])
def new_contact(request: SignedInRequest) -> HttpResponse:
    """Show the form that adds a contact, filled in with `endpoint`; add it on POST."""
    operator = request.user
    check_may_edit_contacts(operator)
    if request.method != "POST":
        initial = {"endpoint": _endpoint_from_url(request)}
        return _new_page(request, ContactForm(None, operator, initial=initial))
    form = ContactForm(request.POST, operator)
    if not form.is_valid():
        return _new_page(request, form, REFUSED)
    try:
        return see_other(changes.add(form.written, operator, address_of(request)))
    except ContactExists as problem:
        return _exists(request, form.written, problem.contact)
    except ChangedMeanwhile:
        return _conflict(request, form.written, None)


@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one contact, and its form to people who may edit it; change it on POST."""
    operator = request.user
    if request.method != "POST":
        shown = get_object_or_404(Contact, pk=pk)
        return _contact_page(request, shown, ContactForm(None, operator, initial=_initial(shown)))
    check_may_edit_contacts(operator)
    form = ContactForm(request.POST, operator)
    if not form.is_valid():
        return _contact_page(request, get_object_or_404(Contact, pk=pk), form, REFUSED)
    try:
        changed = changes.change(pk, form.written, form.revision_opened, operator, address_of(request))
    except ContactExists as problem:
        return _conflict(request, form.written, problem.contact, exists=True)
    except ChangedMeanwhile as problem:
        return _conflict(request, form.written, problem.contact)
    messages.success(request, f"{changed} is saved.")
    return see_other("contacts")


@require_http_methods(["GET", "HEAD", "POST"])
def delete_contact(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask for confirmation; delete the contact on POST."""
    operator = request.user
    check_may_edit_contacts(operator)
    if request.method != "POST":
        return _delete_page(request, get_object_or_404(Contact, pk=pk))
    form = RevisionForm(request.POST)
    if not form.is_valid():
        return _delete_page(request, get_object_or_404(Contact, pk=pk), status=REFUSED)
    try:
        action = changes.delete(pk, form.cleaned_data["revision"], operator, address_of(request))
    except ChangedMeanwhile as problem:
        shown = problem.contact or get_object_or_404(Contact, pk=pk)
        return _delete_page(request, shown, changed=True, status=CONFLICT)
    return see_other("contacts", query=f"?deleted={action.pk}" if action else "")


@require_POST
def restore_contact(request: SignedInRequest) -> HttpResponse:
    """Restore a contact that was just deleted, or show the contact that exists by now."""
    operator = request.user
    check_may_edit_contacts(operator)
    was = _deleted(request.POST.get("deleted", ""))
    if was is None:
        messages.info(request, "It is there already, or was deleted too long ago to be put back.")
        return see_other("contacts")
    try:
        return see_other(changes.add(was[1], operator, address_of(request)))
    except ContactExists as problem:
        return see_other(problem.contact)


def _endpoint_from_url(request: SignedInRequest) -> str:
    """Return the number, in E.164, or the client in the parameter `endpoint`."""
    return number_from_url(request.GET.get("endpoint", "")[:LONGEST_ENDPOINT], request.user.dials_from)


def _deleted(action_id: str) -> tuple[int, ContactFields] | None:
    """Return the id of the deletion, and the contact that it can restore."""
    if not (action_id.isascii() and action_id.isdigit() and len(action_id) < 19):
        return None
    was = changes.deleted_contact(int(action_id))
    return (int(action_id), was) if was else None


def _new_page(request: SignedInRequest, form: ContactForm, status: int = 200) -> HttpResponse:
    context = {"form": form, "country": form.operator.dials_from, "read": _read(form)}
    return render(request, "contacts/new.html", context, status=status)


def _read(form: ContactForm) -> Endpoint | None:
    """Return the number that the form would save, so that its country is visible before saving."""
    try:
        end = endpoint_of(parse_endpoint(form["endpoint"].value() or "", form.operator.dials_from))
    except InvalidEndpoint:
        return None
    return end if end.is_phone else None


def _contact_page(
    request: SignedInRequest, shown: Contact, form: ContactForm, status: int = 200
) -> HttpResponse:
    operator = form.operator
    context = {
        "contact": shown,
        "end": endpoint_of(shown.endpoint),
        "form": form,
        "country": operator.dials_from,
        "mark_stays": shown.do_not_call and not may_allow_calling(operator),
        "may_delete": may_delete_contact(operator, shown),
        "changes": changes.changes_of(shown),
        "now": timezone.now(),
    }
    return render(request, "contacts/contact.html", context, status=status)


def _delete_page(
    request: SignedInRequest, shown: Contact, *, changed: bool = False, status: int = 200
) -> HttpResponse:
    context = {
        "contact": shown,
        "end": endpoint_of(shown.endpoint),
        "changed": changed,
        "may_delete": may_delete_contact(request.user, shown),
        "now": timezone.now(),
    }
    return render(request, "contacts/delete.html", context, status=status)


def _exists(request: SignedInRequest, mine: ContactFields, theirs: Contact) -> HttpResponse:
    """Redirect to the existing contact, unless the form differs from it."""
    if not mine.adds_nothing_to(theirs):
        return _conflict(request, mine, theirs, exists=True)
    messages.info(request, "There is a contact for this already: this one.")
    return see_other(theirs)


def _conflict(
    request: SignedInRequest, mine: ContactFields, theirs: Contact | None, *, exists: bool = False
) -> HttpResponse:
    """Show both versions: the form's, and the contact as it is now, if it still exists."""
    context = {
        "mine": mine,
        "theirs": theirs,
        "exists": exists,
        "end": endpoint_of(mine.endpoint),
        "theirs_end": endpoint_of(theirs.endpoint if theirs else ""),
        "mark_stays": theirs and theirs.do_not_call and not may_allow_calling(request.user),
        "now": timezone.now(),
    }
    return render(request, "contacts/conflict.html", context, status=CONFLICT)


def _initial(shown: Contact) -> dict[str, Any]:
    end = endpoint_of(shown.endpoint)
    return {
        "endpoint": end.text if end.is_phone else shown.endpoint,
        "name": shown.name,
        "notes": shown.notes,
        "do_not_call": shown.do_not_call,
        "revision": shown.revision,
    }
