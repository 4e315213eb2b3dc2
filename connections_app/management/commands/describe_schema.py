"""Print the schema of the tables in the format of migrations/schema.json."""

import json
from typing import Any

from connections_app.engines import schema
from connections_app.management.prepared import PreparedCommand


class Command(PreparedCommand):
    help = "Print what the tables of this database consist of, for connections_app/migrations/schema.json."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(schema.parts(), indent=1, sort_keys=True))
