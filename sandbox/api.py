"""Sift's face: what the vendor's pages document, under the prefix, with basic auth."""

import base64
import binascii
import json
import re
from itertools import islice
from urllib.parse import quote

from sandbox.calls import World
from sandbox.http import Answer, Request, answer, error, last_segment


class Api:
    """Serves one account at `prefix` (such as /v0)."""

    def __init__(self, world: World, prefix: str, account: str, token: str) -> None:
        self.world = world
        self.prefix = prefix
        self.authorization = "Basic " + base64.b64encode(f"{account}:{token}".encode()).decode()

    def face(self, request: Request) -> str:
        """Which call of the API a request is: list, create, retrieve, routine, or nothing known."""
        path = request.path.removeprefix(self.prefix).rstrip("/")
        if path == "/connections":
            return {"GET": "list", "POST": "create"}.get(request.method, "")
        if path.startswith("/connections/") and path.count("/") == 2:
            return {"GET": "retrieve", "POST": "routine"}.get(request.method, "")
        return ""

    def serve(self, request: Request) -> Answer:
        if request.headers.get("authorization") != self.authorization:
            return error(401, "Invalid account id or auth token.", www_authenticate='Basic realm="sift"')
        match self.face(request):
            case "list":
                return self.list_connections(request)
            case "retrieve":
                return self.retrieve(last_segment(request.path.rstrip("/")))
            case "create" | "routine":
                return error(501, "The sandbox cannot do this yet.")
        known = request.path.removeprefix(self.prefix).startswith("/connections")
        return error(405, "Method not allowed.") if known else error(404, "Not found.")

    def list_connections(self, request: Request) -> Answer:
        world, newest = self.world, self.world.order == "newest"
        step = -1 if newest else 1
        start = world.following - 1 if newest else 0
        if "cursor" in request.query:
            place = _place(request.query["cursor"])
            if place is None:
                return error(404, "Invalid cursor.")
            start = place
        indices = list(islice(world.indices(start, step), world.page_size + 1))
        shown, more = indices[: world.page_size], indices[world.page_size :]
        base = f"http://{request.headers.get('host', 'localhost')}{self.prefix}/connections"
        previous = start - step * world.page_size
        links = {
            "next": f"{base}?cursor={_cursor(more[0])}" if more else None,
            "previous": f"{base}?cursor={_cursor(previous)}" if "cursor" in request.query else None,
        }
        rows = b",".join(map(world.list_row, shown))
        return Answer(200, json.dumps(links).encode()[:-1] + b', "results": [' + rows + b"]}")

    def retrieve(self, connection_id: str) -> Answer:
        index = self.world.find(connection_id)
        if index is None:
            return error(404, "No such connection.")
        return answer(200, self.world.row(index))


def _cursor(index: int) -> str:
    return quote(base64.b64encode(f"p={index}".encode()).decode())


def _place(cursor: str) -> int | None:
    try:
        found = re.fullmatch(r"p=(-?\d{1,12})", base64.b64decode(cursor, validate=True).decode())
    except (binascii.Error, UnicodeDecodeError):
        return None
    return max(int(found[1]), 0) if found else None
