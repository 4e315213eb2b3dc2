"""Sift's face: what the vendor's pages document, under the prefix, with basic auth."""

import base64
import binascii
import json
import re
from itertools import islice
from urllib.parse import quote

from sandbox.calls import World
from sandbox.http import Answer, Request, answer, error, last_segment

OF_ALL = {"GET": "list", "POST": "create"}
OF_ONE = {"GET": "retrieve", "POST": "routine"}


class Api:
    """Serves one account at `prefix` (such as /v0)."""

    def __init__(self, world: World, prefix: str, account: str, token: str) -> None:
        self.world = world
        self.prefix = prefix
        self.paths = re.compile(re.escape(prefix) + r"/connections(?:/(?P<id>[^/]+))?/?")
        self.authorization = "Basic " + base64.b64encode(f"{account}:{token}".encode()).decode()

    def face(self, request: Request) -> str:
        """Which call of the API a request is: list, create, retrieve, routine, or nothing known."""
        return self.methods(request.path).get(request.method, "")

    def methods(self, path: str) -> dict[str, str]:
        """What each method asks for at a path; nothing where Sift has none."""
        if found := self.paths.fullmatch(path):
            return OF_ONE if found["id"] else OF_ALL
        return {}

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
        allowed = ", ".join(self.methods(request.path))
        return error(405, "Method not allowed.", allow=allowed) if allowed else error(404, "Not found.")

    def list_connections(self, request: Request) -> Answer:
        world, newest = self.world, self.world.order == "newest"
        step = -1 if newest else 1
        start = world.following - 1 if newest else 0
        if "cursor" in request.query:
            place = _place(request.query["cursor"])
            if place is None:
                return error(404, "Invalid cursor")
            start = place
        indices = list(islice(world.indices(start, step), world.page_size + 1))
        shown, more = indices[: world.page_size], indices[world.page_size :]
        base = f"http://{request.headers.get('host', 'localhost')}{self.prefix}/connections"
        before = list(islice(world.indices(start - step, -step), world.page_size))
        links = {
            "next": f"{base}?cursor={_cursor(more[0])}" if more else None,
            "previous": f"{base}?cursor={_cursor(before[-1])}" if before else None,
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
