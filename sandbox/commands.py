"""Run the commands of a routine in real time."""

import asyncio
from typing import Any, Protocol

from sandbox.call import Call
from sandbox.routines import SPEECH, Command
from sandbox.settings import Settings

SPOKEN_CHARACTERS_A_SECOND = 15
PLAY_SECONDS = 4
THINK_SECONDS = 2
LISTEN_SECONDS = 8
# What the other party says unless a test sets it.
DEFAULT_SPEECH: dict[str, Any] = {
    "GetNumber": "42",
    "GetDate": "2027-01-15",
    "GetName": "Ana Silva",
    "GetYesOrNo": True,
    "GetMultipleChoice": "1",
    "GetFreeResponse": "I would like to speak to somebody, please.",
}


class Exchange(Protocol):
    """The part of `Running` that commands use."""

    settings: Settings

    async def bridge(self, call: Call, to: str) -> None: ...

    def finish(self, call: Call) -> None: ...


async def perform(exchange: Exchange, call: Call, command: Command) -> dict[str, Any]:
    """Run one command. Returns the result that `on_done` receives in addition to the ids."""
    settings = exchange.settings
    match command["name"]:
        case "Say":
            await settings.wait(len(command["text"]) / SPOKEN_CHARACTERS_A_SECOND)
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
            return await _listen(settings, call, name)
    return {}


async def _digits(settings: Settings, call: Call, command: Command) -> str:
    """Return `count` keyed digits; fewer, or none, after a timeout."""
    if command.get("prompt_url"):
        await settings.wait(PLAY_SECONDS)
    typing = asyncio.create_task(_type(settings, call)) if settings.keys else None
    timeout = command.get("timeout_seconds") or LISTEN_SECONDS
    try:
        async with asyncio.timeout(timeout / settings.speed):
            while len(call.keyed) < command["count"]:
                call.input_arrived.clear()
                await call.input_arrived.wait()
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
    call.input_arrived.set()


async def _listen(settings: Settings, call: Call, name: str) -> dict[str, Any]:
    """Return the result of a speech command: the input of a test, else as `settings.says`."""
    timeout = THINK_SECONDS if settings.says == "something" else LISTEN_SECONDS
    try:
        async with asyncio.timeout(timeout / settings.speed):
            while not call.speech:
                call.input_arrived.clear()
                await call.input_arrived.wait()
    except TimeoutError:
        pass
    if call.speech:
        spoken = call.speech.popleft()
    elif settings.says == "something":
        spoken = {"value": DEFAULT_SPEECH[name]}
    else:
        spoken = {"value": None, "error": "timeout"}
    field = "choice" if name == "GetMultipleChoice" else "value"
    others = {key: value for key, value in spoken.items() if key not in ("value", "choice")}
    return {field: spoken.get("value", spoken.get("choice"))} | others
