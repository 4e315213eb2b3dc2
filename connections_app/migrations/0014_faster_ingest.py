"""New calls cost less: their operator is found by the statement that writes them, and their country in fewer steps."""

import json
from itertools import groupby

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

from connections_app.models.countries import COUNTRY_OF

# Under each first digit, prefixes of two or three lengths decide, of which the longest is looked up first.
LOOKUP = "'{prefixes}'::jsonb ->> substr(endpoint, 2, {length})"
COUNTRY_FUNCTION = """
    CREATE OR REPLACE FUNCTION sift_country(endpoint text) RETURNS varchar
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN starts_with(endpoint, '+') THEN CASE substr(endpoint, 2, 1) {cases} END END
""".format(
    cases=" ".join(
        f"WHEN '{digit}' THEN coalesce({{}})".format(
            ", ".join(
                LOOKUP.format(
                    prefixes=json.dumps(
                        {one: COUNTRY_OF[one] for one in prefixes if len(one) == length},
                        separators=(",", ":"),
                    ),
                    length=length,
                )
                for length in sorted({len(one) for one in prefixes}, reverse=True)
            )
        )
        for digit, prefixes in (
            (digit, list(of)) for digit, of in groupby(sorted(COUNTRY_OF), lambda one: one[0])
        )
    )
)


class Migration(migrations.Migration):
    dependencies = [("connections_app", "0013_search")]

    operations = [
        # The same countries, so no stored one changes.
        migrations.RunSQL(COUNTRY_FUNCTION, migrations.RunSQL.noop),
        pgtrigger.migrations.RemoveTrigger(model_name="connection", name="client_operator"),
        pgtrigger.migrations.AddTrigger(
            model_name="connection",
            trigger=pgtrigger.compiler.Trigger(
                name="client_operator",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.operator_id IS NULL AND (NEW.from_endpoint ILIKE 'webrtc:%' OR NEW.to_endpoint ILIKE 'webrtc:%'))",
                    func="\n                    NEW.operator_id = sift_operator_on_the_line(NEW.from_endpoint, NEW.to_endpoint);\n                    RETURN NEW;\n                ",
                    hash="c1f8e0c013fdcc492ff568ec5bf4e7e412ec1c34",
                    operation='UPDATE OF "from_endpoint", "to_endpoint"',
                    pgid="pgtrigger_client_operator_14559",
                    table="connections_app_connection",
                    when="BEFORE",
                ),
            ),
        ),
    ]
