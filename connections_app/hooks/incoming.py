"""Answer an incoming callback with the routine of the first inbound rule that matches."""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction
from django.db.models import BooleanField, Exists, JSONField, QuerySet, Subquery, Value
from django.db.models.expressions import Combinable, RawSQL
from django.utils import timezone

from connections_app.calls import scripts
from connections_app.calls.dialling import NotDialled
from connections_app.calls.ingest import ingest
from connections_app.calls.scripts import NotUsable
from connections_app.hooks.received import Answered, Overtaken, Received, Refused, WrongToken
from connections_app.models import (
    Account,
    Callback,
    Connection,
    InboundRule,
    Origin,
    Script,
    Source,
    TokenDigest,
)
from connections_app.models.case_folding import folded, without_client
from connections_app.sift.payloads import Observation

logger = logging.getLogger(__name__)

# A prefix is compared with the same number of characters, cut before folding: folding looks at what follows.
MATCHES = f"""
    {{pattern}} = '' OR (
        SELECT CASE WHEN right(pattern, 1) = '*'
            THEN {folded("left(given, length(pattern) - 1)")} = {folded("left(pattern, -1)")}
            ELSE {folded("given")} = {folded("pattern")} END
        FROM (
            SELECT {without_client("{pattern}")} AS pattern, {without_client("observed.endpoint")} AS given
            FROM (SELECT %s::text AS endpoint) AS observed
        ) AS ends
    )
"""  # noqa: S608
# The published versions of a rule's routine and of every routine that may follow it, by routine.
VERSIONS = """
    WITH RECURSIVE reached (routine, version) AS (
        SELECT id, published_id FROM connections_app_routine
        WHERE id = connections_app_inboundrule.routine_id
    UNION
        SELECT following.id, following.published_id
        FROM reached
        JOIN connections_app_routineversion AS version ON version.id = reached.version
        CROSS JOIN jsonb_path_query(version.commands, '$[*].then.*') AS named
        JOIN connections_app_routine AS following ON following.id = named::int
        WHERE following.archived_at IS NULL AND following.published_id IS NOT NULL
    )
    SELECT jsonb_object_agg(routine, version) FROM reached
"""


def answer_incoming(received: Received) -> Answered:
    """Store the call, and answer with the routine of the rule that matches. At most four statements.

    The same call gets the same answer, but a routine that dials is sent once. Raises `WrongToken`, and
    `Overtaken` if another process answers the same call at this moment.
    """
    try:
        observed = received.connection
    except Refused as refused:
        _check_token(received.token)
        received.keep(Callback.Kind.INCOMING, refused.answered)
        return refused.answered
    with transaction.atomic():
        rules = _rules(received.token, observed)
        changes = ingest([observed], Source.CALLBACK)
        answered = _answer(received, rules, next(iter(changes.created + changes.updated), None))
        received.keep(Callback.Kind.INCOMING, answered, connection_id=observed.connection_id)
    return answered


def rule_for(rules: Iterable[InboundRule], now: datetime) -> InboundRule | None:
    """Return the first of `rules` that is open at `now`, or None."""
    return next((rule for rule in rules if is_open(rule, now)), None)


def matches_endpoint(pattern: str, endpoint: str | None) -> Combinable:
    """Return the SQL expression that is true if the condition in the column `pattern` matches `endpoint`.

    A condition matches the whole endpoint, or with a final `*` its beginning; an empty one matches any.
    Surrounding spaces and the prefix `webrtc:` are ignored.
    """
    return RawSQL(MATCHES.format(pattern=pattern), (endpoint or "",), BooleanField())  # noqa: S611


def is_open(rule: InboundRule, now: datetime) -> bool:
    """Return True if `now` is in the rule's hours and zone. Hours past midnight count as the day before."""
    local = now.astimezone(_zone(rule.time_zone))
    day, clock = local.date(), local.time()
    opens, closes = rule.opens or time.min, rule.closes
    if closes is None:
        is_in_hours = True
    elif opens <= closes:
        is_in_hours = opens <= clock < closes
    else:
        is_in_hours = clock >= opens or clock < closes
        day -= timedelta(days=1) if clock < closes else timedelta(0)
    return is_in_hours and (not rule.days or str(day.isoweekday()) in rule.days)


def _check_token(token: str) -> None:
    if not _accounts(token).exists():
        raise WrongToken


def _accounts(token: str) -> QuerySet[Account]:
    return Account.objects.alias(by=TokenDigest("incoming_token")).filter(by=TokenDigest(Value(token)))


def _rules(token: str, observed: Observation) -> list[Any]:
    """Return the rules in order, each with `matches` and `versions`, with `call`, the key of the call, and
    with `before`, the key of the script that it was answered with."""
    calls = Connection.objects.filter(connection_id=observed.connection_id)
    answers = Script.objects.filter(connection__in=calls, origin=Origin.INBOUND)
    rules = list(
        InboundRule.objects.filter(is_active=True)
        .select_related("routine__published__routine")
        .annotate(
            is_ours=Exists(_accounts(token)),
            matches=matches_endpoint("connections_app_inboundrule.to_endpoint", observed.to_endpoint)
            & matches_endpoint("connections_app_inboundrule.from_endpoint", observed.from_endpoint),
            call=Subquery(calls.values("pk")),
            before=Subquery(answers.values("pk")),
            versions=RawSQL(VERSIONS, (), JSONField()),  # noqa: S611
        )
    )
    if not rules:
        _check_token(token)
    elif not rules[0].is_ours:
        raise WrongToken
    return rules


def _answer(received: Received, rules: list[Any], changed: int | None) -> Answered:
    """Make the script of the rule that matches this call, or answer as before if the call has one."""
    if before := next((rule.before for rule in rules), None):
        return _repeated_answer(Script.objects.get(pk=before))
    rule: Any = rule_for([rule for rule in rules if rule.matches], timezone.now())
    version = rule.routine.published if rule else None
    if rule is None or version is None:
        return Answered()
    try:
        request = scripts.routine_version(version, {}, rule.versions)
    except NotUsable as problem:
        logger.error("Rule “%s” cannot answer: %s", rule, problem)
        return Answered()
    call = changed or rule.call
    try:
        made = scripts.make(request, Origin.INBOUND, connection=call, given=True) if call else None
    except NotDialled as reason:
        return Answered.not_dialling(reason)
    if made is None:
        raise Overtaken
    received.claimed.script = made.pk
    return Answered.with_routine(made.commands)


def _repeated_answer(script: Script) -> Answered:
    may_be = not script.dials and script.superseded_by_id is None
    return Answered.with_routine(script.commands if may_be else None)


def _zone(name: str) -> tzinfo:
    """Return the time zone, or UTC if this machine does not know it, so that the call is answered anyway."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
