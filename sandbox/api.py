"""Sift's API as its documentation describes it, under the prefix, with basic auth."""

import base64
import binascii
import json
import re
from itertools import islice
from typing import Any
from urllib.parse import quote

from sandbox.calls import World
from sandbox.http import Answer, Request, answer, error, last_segment
from sandbox.routines import Invalid, check, is_number
from sandbox.running import Refused, Running
from sandbox.settings import is_url

LIST_OPERATIONS = {"GET": "list", "POST": "create"}
CALL_OPERATIONS = {"GET": "retrieve", "POST": "routine"}


class Api:
    """Serves one account under `prefix` (such as /v0)."""

    def __init__(self, world: World, running: Running, prefix: str, account: str, token: str) -> None:
        self.world = world
        self.running = running
        self.prefix = prefix
        self.paths = re.compile(re.escape(prefix) + r"/connections(?:/(?P<id>[^/]+))?/?")
        self.authorization = "Basic " + base64.b64encode(f"{account}:{token}".encode()).decode()

    def operation(self, request: Request) -> str:
        """Return the operation of a request: list, create, retrieve or routine; "" if Sift has none."""
        return self.methods(request.path).get(request.method, "")

    def methods(self, path: str) -> dict[str, str]:
        """Return the operation of each method at a path, empty if Sift has none there."""
        if found := self.paths.fullmatch(path):
            return CALL_OPERATIONS if found["id"] else LIST_OPERATIONS
        return {}

    def serve(self, request: Request) -> Answer:
        """Authenticate a request and answer it."""
        if request.headers.get("authorization") != self.authorization:
            return error(401, "Invalid account id or auth token.", www_authenticate='Basic realm="sift"')
        match self.operation(request):
            case "list":
                return self.list_connections(request)
            case "retrieve":
                return self.retrieve(last_segment(request.path.rstrip("/")))
            case "create":
                return self.create(request)
            case "routine":
                return self.set_routine(request)
        allowed = ", ".join(self.methods(request.path))
        return error(405, "Method not allowed.", allow=allowed) if allowed else error(404, "Not found.")

    def list_connections(self, request: Request) -> Answer:
        """Return the page of the list at the cursor, or the first one."""
        world, newest = self.world, self.world.order == "newest"
        step = -1 if newest else 1
        start = world.next_index - 1 if newest else 0
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
        """Return one call."""
        index = self.world.find(connection_id)
        if index is None:
            return error(404, "No such connection.")
        return answer(200, self.world.row(index))

    def create(self, request: Request) -> Answer:
        """Place a call."""
        try:
            to, status_url = _create_fields(request)
            call = self.running.place(to, "create", status_url)
        except (Invalid, Refused) as problem:
            return error(400, str(problem))
        match self.running.settings.create_answer:
            case "id":
                return answer(200, {"connection_id": call.connection_id})
            case "empty":
                return Answer(200, b"")
        return answer(200, self.world.row(call.index))

    def set_routine(self, request: Request) -> Answer:
        """Replace the routine of a call."""
        index = self.world.find(last_segment(request.path.rstrip("/")))
        if index is None:
            return error(404, "No such connection.")
        try:
            self.running.set_routine(index, check(_object(request).get("routine")))
        except (Invalid, Refused) as problem:
            return error(400, str(problem))
        return Answer(200, b"")


def _create_fields(request: Request) -> tuple[str, str]:
    """Return the endpoint to call and the status URL. Raises `Invalid`, which names the wrong field."""
    body = _object(request)
    number, client = body.get("phone_number"), body.get("client_name")
    if not is_url(body.get("status_url")):
        raise Invalid("status_url: a URL is required.")
    if (number is None) == (client is None):
        raise Invalid("phone_number, client_name: exactly one of them is required.")
    if number is not None and not is_number(number):
        raise Invalid("phone_number: not a number in E.164.")
    if client is not None and not (isinstance(client, str) and client.strip()):
        raise Invalid("client_name: not a name.")
    return number or f"webrtc:{client}", body["status_url"]


def _object(request: Request) -> dict[str, Any]:
    try:
        body = request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Invalid("The body is no JSON object.")
    return body


def _cursor(index: int) -> str:
    return quote(base64.b64encode(f"p={index}".encode()).decode())


def _place(cursor: str) -> int | None:
    try:
        found = re.fullmatch(r"p=(-?\d{1,12})", base64.b64decode(cursor, validate=True).decode())
    except (binascii.Error, UnicodeDecodeError):
        return None
    return max(int(found[1]), 0) if found else None
