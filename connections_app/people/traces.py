"""Who is on record: such a person is deactivated, and never deleted."""

from django.contrib.admin.models import LogEntry

from connections_app.models import Action, BulkTagging, CallRequest, Note, Operator, Push


def is_on_record(operator: Operator) -> bool:
    """Whether any call, request, note or action is this person's. At most seven queries, each by an index.

    To delete such a person would rewrite each of these rows, by the million, and leave a name on record that
    somebody else may take.
    """
    theirs = (
        operator.calls.all(),
        CallRequest.objects.filter(operator=operator),
        Push.objects.filter(operator=operator),
        Note.objects.filter(author=operator),
        BulkTagging.objects.filter(operator=operator),
        Action.objects.filter(actor=operator.get_username()),
        LogEntry.objects.filter(user=operator),
    )
    return any(rows.exists() for rows in theirs)
