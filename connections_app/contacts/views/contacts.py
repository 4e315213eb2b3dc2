"""`/contacts/`: the list, and one contact: its page, adding, changing, deleting and putting it back."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connections_app.contacts import book, listing
from connections_app.contacts.book import Changed, Exists, Written
from connections_app.contacts.forms import ContactForm, ContactsForm, RevisionForm
from connections_app.contacts.views.answering import CONFLICT, REFUSED, person, see
from connections_app.endpoints import endpoint_of
from connections_app.models import Contact
from connections_app.phonebook import contact_of
from connections_app.recording import address_of

NOTHING_FOUND = listing.ContactsPage([], None, None)
LONGEST_ENDPOINT = 300


@require_safe
def show_contacts(request: HttpRequest) -> HttpResponse:
    """The list by name; `q` and `do_not_call` narrow it, and `deleted` offers to put one back."""
    form = ContactsForm(request.GET)
    page, count = NOTHING_FOUND, ""
    if form.is_valid():
        try:
            contacts = listing.found(form)
            page, count = listing.page(contacts, request.GET), listing.count(contacts)
        except listing.BadPlace:
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
def contact_for(request: HttpRequest) -> HttpResponseRedirect:
    """On to the contact of `endpoint`, as Sift writes it, or to the form that adds one."""
    endpoint = request.GET.get("endpoint", "").replace("\x00", "")[:LONGEST_ENDPOINT]
    if contact := contact_of(endpoint):
        return redirect(contact)
    return redirect(f"{reverse('contact_new')}?{urlencode({'endpoint': endpoint})}")


@require_http_methods(["GET", "HEAD", "POST"])
def new_contact(request: HttpRequest) -> HttpResponse:
    """The form that adds a contact, filled in with `endpoint`, and with POST the adding."""
    operator = person(request)
    book.check_may_edit(operator)
    if request.method != "POST":
        wished = {"endpoint": request.GET.get("endpoint", "")[:LONGEST_ENDPOINT]}
        return _new_page(request, ContactForm(None, operator, initial=wished))
    form = ContactForm(request.POST, operator)
    if not form.is_valid():
        return _new_page(request, form, REFUSED)
    try:
        return see(book.add(form.written, operator, address_of(request)))
    except Exists as problem:
        return _exists(request, form.written, problem.contact)
    except Changed:
        return _conflict(request, form.written, None)


@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: HttpRequest, pk: int) -> HttpResponse:
    """One contact, with POST its change; who may only look sees no form."""
    operator = person(request)
    if request.method != "POST":
        shown = get_object_or_404(Contact, pk=pk)
        return _contact_page(request, shown, ContactForm(None, operator, initial=_initial(shown)))
    book.check_may_edit(operator)
    form = ContactForm(request.POST, operator)
    if not form.is_valid():
        return _contact_page(request, get_object_or_404(Contact, pk=pk), form, REFUSED)
    try:
        changed = book.change(pk, form.written, form.revision_opened, operator, address_of(request))
    except Exists as problem:
        return _conflict(request, form.written, problem.contact, exists=True)
    except Changed as problem:
        return _conflict(request, form.written, problem.contact)
    messages.success(request, f"{changed} is saved.")
    return see("contacts")


@require_http_methods(["GET", "HEAD", "POST"])
def delete_contact(request: HttpRequest, pk: int) -> HttpResponse:
    """The question whether to delete a contact, and with POST the deleting."""
    operator = person(request)
    book.check_may_edit(operator)
    if request.method != "POST":
        return _delete_page(request, get_object_or_404(Contact, pk=pk))
    form = RevisionForm(request.POST)
    if not form.is_valid():
        return _delete_page(request, get_object_or_404(Contact, pk=pk), status=REFUSED)
    try:
        action = book.delete(pk, form.cleaned_data["revision"], operator, address_of(request))
    except Changed as problem:
        shown = problem.contact or get_object_or_404(Contact, pk=pk)
        return _delete_page(request, shown, changed=True, status=CONFLICT)
    return see("contacts", query=f"?deleted={action.pk}" if action else "")


@require_POST
def put_contact_back(request: HttpRequest) -> HttpResponse:
    """Add a contact again that was just deleted; one that is there already is shown."""
    operator = person(request)
    book.check_may_edit(operator)
    was = _deleted(request.POST.get("deleted", ""))
    if was is None:
        messages.info(request, "It is there already, or was deleted too long ago to be put back.")
        return see("contacts")
    try:
        return see(book.add(was[1], operator, address_of(request)))
    except Exists as problem:
        return see(problem.contact)


def _deleted(asked: str) -> tuple[int, Written] | None:
    """The contact that can be put back, and the id it is asked for by."""
    if not (asked.isascii() and asked.isdigit() and len(asked) < 19):
        return None
    was = book.deletion(int(asked))
    return (int(asked), was) if was else None


def _new_page(request: HttpRequest, form: ContactForm, status: int = 200) -> HttpResponse:
    context = {"form": form, "country": form.operator.dials_from}
    return render(request, "contacts/new.html", context, status=status)


def _contact_page(request: HttpRequest, shown: Contact, form: ContactForm, status: int = 200) -> HttpResponse:
    operator = form.operator
    context = {
        "contact": shown,
        "end": endpoint_of(shown.endpoint),
        "form": form,
        "country": operator.dials_from,
        "mark_stays": shown.do_not_call and not book.may_allow_calling(operator),
        "may_delete": book.may_delete(operator, shown),
        "changes": book.changes_of(shown),
        "now": timezone.now(),
    }
    return render(request, "contacts/contact.html", context, status=status)


def _delete_page(
    request: HttpRequest, shown: Contact, *, changed: bool = False, status: int = 200
) -> HttpResponse:
    context = {
        "contact": shown,
        "end": endpoint_of(shown.endpoint),
        "changed": changed,
        "may_delete": book.may_delete(person(request), shown),
        "now": timezone.now(),
    }
    return render(request, "contacts/delete.html", context, status=status)


def _exists(request: HttpRequest, mine: Written, theirs: Contact) -> HttpResponse:
    """On to the contact that there is already, unless what was written says something else of it."""
    if not mine.adds_nothing_to(theirs):
        return _conflict(request, mine, theirs, exists=True)
    messages.info(request, "There is a contact for this already: this one.")
    return see(theirs)


def _conflict(
    request: HttpRequest, mine: Written, theirs: Contact | None, *, exists: bool = False
) -> HttpResponse:
    """Both: what was written, and what is there now, if it still is."""
    context = {
        "mine": mine,
        "theirs": theirs,
        "exists": exists,
        "end": endpoint_of(mine.endpoint),
        "theirs_end": endpoint_of(theirs.endpoint if theirs else ""),
        "mark_stays": theirs and theirs.do_not_call and not book.may_allow_calling(person(request)),
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
