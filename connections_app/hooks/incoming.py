"""Answer an incoming callback: the first inbound rule that matches says what the caller hears."""

import logging
import secrets
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Subquery
from django.utils import timezone

from connections_app import scripts
from connections_app.hooks.receiving import Answered, NotUnderstood, Received, WrongToken
from connections_app.ingest import ingest
from connections_app.models import Account, Callback, Connection, InboundRule, Origin, Script, Source
from connections_app.models.sending import CLIENT
from connections_app.scripts import NotUsable
from connections_app.sift.payloads import Observation

logger = logging.getLogger(__name__)


def answer_incoming(received: Received) -> Answered:
    """Take in the call, and answer with the routine of the rule that matches. At most four statements.

    The same call gets the same answer, but a routine that dials is given once. Raises `WrongToken`.
    """
    _check_token(received.token)
    with transaction.atomic():
        try:
            observed = received.connection
        except NotUnderstood as problem:
            answered, connection_id = Answered.refusing(400, str(problem)), None
        else:
            connection_id = observed.connection_id
            ingest([observed], Source.CALLBACK)
            answered = _answer(observed)
        received.keep(Callback.Kind.INCOMING, answered, connection_id=connection_id)
    return answered


def rule_for(observed: Observation, rules: Iterable[InboundRule], now: datetime) -> InboundRule | None:
    """The first of `rules`, in their order, whose conditions all match."""
    return next(
        (
            rule
            for rule in rules
            if is_endpoint(rule.to_endpoint, observed.to_endpoint)
            and is_endpoint(rule.from_endpoint, observed.from_endpoint)
            and is_open(rule, now)
        ),
        None,
    )


def is_endpoint(pattern: str, endpoint: str | None) -> bool:
    """Whether `pattern` means `endpoint`: whole, or its beginning before a `*`; an empty one means any."""
    if not pattern:
        return True
    wanted, told = _plain(pattern), _plain(endpoint or "")
    return told.startswith(wanted[:-1]) if wanted.endswith("*") else told == wanted


def is_open(rule: InboundRule, now: datetime) -> bool:
    """Whether `now` is in the rule's hours, in its zone. Hours past midnight belong to the day they begin."""
    local = now.astimezone(ZoneInfo(rule.time_zone))
    day, clock = local.date(), local.time()
    opens, closes = rule.opens or time.min, rule.closes or time.max
    if opens > closes and clock < closes:
        day -= timedelta(days=1)
        is_in_hours = True
    elif opens > closes:
        is_in_hours = clock >= opens
    else:
        is_in_hours = opens <= clock < closes
    return is_in_hours and (not rule.days or str(day.isoweekday()) in rule.days)


def _check_token(token: str) -> None:
    account = Account.objects.first()
    if account is None or not secrets.compare_digest(account.incoming_token, token):
        raise WrongToken


def _answer(observed: Observation) -> Answered:
    """Make the script that the rules give this call, or answer as before where it has one."""
    rules = list(
        InboundRule.objects.filter(is_active=True)
        .select_related("routine__published__routine")
        .annotate(
            call=Subquery(Connection.objects.filter(connection_id=observed.connection_id).values("pk")[:1])
        )
    )
    rule = rule_for(observed, rules, timezone.now())
    version = rule.routine.published if rule else None
    if rule is None or version is None:
        return Answered()
    try:
        wanted = scripts.want_version(version, {}, {})
    except NotUsable as problem:
        logger.error("Rule “%s” cannot answer: %s", rule, problem)
        return Answered()
    made = scripts.make(wanted, Origin.INBOUND, connection=rule.call, given=True)  # type: ignore[attr-defined]
    if made is None:
        before = Script.objects.get(connection=rule.call, origin=Origin.INBOUND)  # type: ignore[attr-defined]
        return Answered.with_routine(None if before.dials or before.superseded_by_id else before.commands)
    return Answered.with_routine(made.commands)


def _plain(endpoint: str) -> str:
    return endpoint.strip().lower().removeprefix(CLIENT)
