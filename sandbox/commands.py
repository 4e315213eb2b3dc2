"""What each command does, in time."""

import asyncio
from typing import Any, Protocol

from sandbox.call import Call
from sandbox.routines import SPEECH, Command
from sandbox.settings import Settings

SPOKEN_A_SECOND = 15
PLAY_SECONDS = 4
THINK_SECONDS = 2
LISTEN_SECONDS = 8
# What people say when no test says it for them.
SAID: dict[str, Any] = {
    "GetNumber": "42",
    "GetDate": "2027-01-15",
    "GetName": "Ana Silva",
    "GetYesOrNo": True,
    "GetMultipleChoice": "1",
    "GetFreeResponse": "I would like to speak to somebody, please.",
}


class Exchange(Protocol):
    """What commands need of the calls under way."""

    settings: Settings

    async def bridge(self, call: Call, to: str) -> None: ...

    def finish(self, call: Call) -> None: ...


async def perform(exchange: Exchange, call: Call, command: Command) -> dict[str, Any]:
    """Do one command; gives what `on_done` is told beside the ids."""
    settings = exchange.settings
    match command["name"]:
        case "Say":
            await settings.wait(len(command["text"]) / SPOKEN_A_SECOND)
        case "Play":
            await settings.wait(PLAY_SECONDS)
        case "GetDigits":
            return {"digits": await _digits(settings, call, command)}
        case "JoinConference":
            await asyncio.Event().wait()
        case "CallPhone":
            await exchange.bridge(call, command["phone_number"])
        case "CallClient":
            await exchange.bridge(call, f"webrtc:{command['client_name']}")
        case "HangUp":
            exchange.finish(call)
        case name if name in SPEECH:
            return await _heard(settings, call, name)
    return {}


async def _digits(settings: Settings, call: Call, command: Command) -> str:
    """As many as are wanted; fewer, or none, when time is up before."""
    if command.get("prompt_url"):
        await settings.wait(PLAY_SECONDS)
    typing = asyncio.create_task(_type(settings, call)) if settings.keys else None
    patience = command.get("timeout_seconds") or LISTEN_SECONDS
    try:
        async with asyncio.timeout(patience / settings.speed):
            while len(call.keyed) < command["count"]:
                call.stirred.clear()
                await call.stirred.wait()
    except TimeoutError:
        pass
    finally:
        if typing:
            typing.cancel()
    digits, call.keyed = call.keyed[: command["count"]], call.keyed[command["count"] :]
    return digits


async def _type(settings: Settings, call: Call) -> None:
    await settings.wait(THINK_SECONDS)
    call.keyed += settings.keys
    call.stirred.set()


async def _heard(settings: Settings, call: Call, name: str) -> dict[str, Any]:
    """What was said: by a test, else something that fits, or nothing; by `settings.says`."""
    patience = THINK_SECONDS if settings.says == "something" else LISTEN_SECONDS
    try:
        async with asyncio.timeout(patience / settings.speed):
            while not call.said:
                call.stirred.clear()
                await call.stirred.wait()
    except TimeoutError:
        pass
    if call.said:
        said = call.said.popleft()
    elif settings.says == "something":
        said = {"value": SAID[name]}
    else:
        said = {"value": None, "error": "timeout"}
    field = "choice" if name == "GetMultipleChoice" else "value"
    others = {key: value for key, value in said.items() if key not in ("value", "choice")}
    return {field: said.get("value", said.get("choice"))} | others
