"""`/contacts/import/` and `/contacts/export/`: many contacts in a file."""

from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from connections_app.access.permissions import check_may_import_contacts
from connections_app.audit.log import address_of
from connections_app.contacts import exporting, importing
from connections_app.contacts.csv_files import MAX_FILE_BYTES, MAX_LINES, Unreadable
from connections_app.contacts.forms import UploadForm
from connections_app.models import ContactImport
from connections_app.web.concurrency import Slot
from connections_app.web.request import SignedInRequest
from connections_app.web.responses import CONFLICT, REFUSED, see_other


@require_http_methods(["GET", "HEAD", "POST"])
def import_contacts(request: SignedInRequest) -> HttpResponse:
    """Show the upload form; on POST, store the file and redirect to its dry run."""
    operator = request.user
    check_may_import_contacts(operator)
    if request.method != "POST":
        return _upload_page(request, UploadForm(None))
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            with Slot(operator.pk):
                return see_other(importing.upload(file.read(), file.name, operator))
        except Unreadable as problem:
            form.add_error("file", str(problem))
    return _upload_page(request, form, REFUSED)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def contact_import(request: SignedInRequest, import_id: UUID) -> HttpResponse:
    """Show the dry run of a file, or the result once imported; import it on POST."""
    operator = request.user
    check_may_import_contacts(operator)
    imported = get_object_or_404(ContactImport, pk=import_id, owner=operator)
    if request.method != "POST":
        return _import_page(request, imported)
    try:
        with Slot(operator.pk):
            plan = request.POST.get("plan", "")
            return see_other(importing.carry_out(import_id, plan, operator, address_of(request)))
    except importing.Stale:
        return _import_page(request, imported, is_stale=True, status=CONFLICT)
    except ContactImport.DoesNotExist:
        return see_other("import_contacts")


@require_POST
def export_contacts(request: SignedInRequest) -> StreamingHttpResponse:
    """Send all contacts as CSV."""
    operator = request.user
    check_may_import_contacts(operator)
    name = f"contacts-{timezone.localdate():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        exporting.export(operator, address_of(request)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _upload_page(request: SignedInRequest, form: UploadForm, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "country": request.user.dials_from,
        "most_lines": f"{MAX_LINES:,}",
        "largest": MAX_FILE_BYTES,
    }
    return render(request, "contacts/import.html", context, status=status)


def _import_page(
    request: SignedInRequest, imported: ContactImport, *, is_stale: bool = False, status: int = 200
) -> HttpResponse:
    context = {"imported": imported, "is_stale": is_stale, "now": timezone.now()}
    if imported.done_at:
        return render(request, "contacts/imported.html", context)
    with Slot(request.user.pk):
        plan = importing.make_plan(imported, request.user)
    return render(request, "contacts/dry_run.html", context | {"plan": plan}, status=status)
