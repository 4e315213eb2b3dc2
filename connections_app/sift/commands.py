"""The commands of a routine: typed values with their fields, limits, defaults and descriptions.

The checks, forms, JSON Schema and preview are all made from this list.
Source: "Routine commands" of the vendor's documentation; limits that it does not give are ours.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from connections_app.sift.numbers import E164

# Lengths are in characters.
LONGEST_SPOKEN = 5_000
LONGEST_URL = 2_000
LONGEST_NAME = 255
LONGEST_TIMEOUT_SECONDS = 300
MOST_DIGITS = 100
MOST_ENTRIES = 50
LONGEST_QUOTED = 60
# The keys of `then` for an answer that it does not list, and for no answer.
ANYTHING_ELSE, NOTHING_HEARD = "any", ""
WEB_ADDRESS = r"^https?://[^\s/?#]+(?:[/?#]\S*)?$"
SOUND_ADDRESS = r"^https?://[^\s/?#]+/[^\s?#]*\.(?:[wW][aA][vV]|[mM][pP]3)(?:\?\S*)?$"
NOT_BLANK = r"\S"


def _without_credentials(address: str) -> str:
    if "@" in re.split(r"[/?#]", address.split("://", 1)[-1], maxsplit=1)[0]:
        raise PydanticCustomError("credentials", "must not hold a name or a password")
    return address


Spoken = Annotated[str, Field(min_length=1, max_length=LONGEST_SPOKEN, pattern=NOT_BLANK)]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=NOT_BLANK)]
WebAddress = Annotated[
    str, Field(max_length=LONGEST_URL, pattern=WEB_ADDRESS), AfterValidator(_without_credentials)
]
SoundAddress = Annotated[
    str, Field(max_length=LONGEST_URL, pattern=SOUND_ADDRESS), AfterValidator(_without_credentials)
]
Number = Annotated[str, Field(pattern=f"^{E164.pattern}$")]
Answer = Annotated[str, Field(max_length=100)]
SavedRoutine = Annotated[int, Field(ge=1, le=2**31 - 1)]

OnDone = Annotated[
    WebAddress | None,
    Field(
        title="Call when done",
        description="Sift calls this address when the command ends. Empty: the dashboard's own.",
    ),
]


class Command(BaseModel):
    """One command. `None` means that the field is left out.

    `dials` is True if it calls a second party: then it must reach Sift only once. `label` is its name for
    people. `str()` describes it as a clause: `says “Hello”`.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    name: str
    dials: ClassVar[bool] = False
    label: ClassVar[str]
    icon: ClassVar[str]

    def for_sift(self) -> dict[str, Any]:
        """Return the object for Sift: the fields that are set, without our own `then`."""
        return self.model_dump(exclude_none=True, exclude={"then"})


class Say(Command):
    """Says a text."""

    name: Literal["Say"]
    text: Annotated[Spoken, Field(title="Text")]
    on_done: OnDone = None
    label: ClassVar[str] = "Say"
    icon: ClassVar[str] = "message"

    def __str__(self) -> str:
        return f"says {quoted(self.text)}"


class Play(Command):
    """Plays a sound."""

    name: Literal["Play"]
    sound_url: Annotated[
        SoundAddress, Field(title="Sound", description="The address of a .wav or .mp3 file.")
    ]
    on_done: OnDone = None
    label: ClassVar[str] = "Play"
    icon: ClassVar[str] = "music"

    def __str__(self) -> str:
        return f"plays {file_name(self.sound_url)}"


class Input(Command):
    """A command that waits for an answer. `then` maps answers to the saved routines that continue; it is
    ours and is not sent to Sift."""

    on_done: OnDone = None
    then: Annotated[
        dict[Answer, SavedRoutine] | None,
        Field(
            title="Then",
            description="Which saved routine goes on for which answer.",
            min_length=1,
            max_length=MOST_ENTRIES,
        ),
    ] = None

    @model_validator(mode="after")
    def _then_excludes_on_done(self) -> Self:
        if self.then and self.on_done:
            raise PydanticCustomError(
                "then", "on_done: must be left out where “then” continues with a routine of ours"
            )
        return self


class GetDigits(Input):
    """Asks for digits keyed on the phone."""

    name: Literal["GetDigits"]
    count: Annotated[int, Field(title="Digits", description="How many are asked for.", ge=1, le=MOST_DIGITS)]
    timeout_seconds: Annotated[
        int | None,
        Field(
            title="Time-out",
            description="Seconds to wait for the next digit.",
            ge=1,
            le=LONGEST_TIMEOUT_SECONDS,
        ),
    ] = None
    prompt_url: Annotated[
        SoundAddress | None,
        Field(title="Prompt", description="The address of a .wav or .mp3 file that asks for them."),
    ] = None
    label: ClassVar[str] = "Get digits"
    icon: ClassVar[str] = "keyboard"

    def __str__(self) -> str:
        return f"asks for {self.count} digit{'s' if self.count > 1 else ''}"


class SpeechInput(Input):
    """Asks for a spoken answer. Sift does not document its other fields, so any are allowed."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")

    prompt: Annotated[Spoken | None, Field(title="Prompt", description="What Sift says to ask for it.")] = (
        None
    )
    asks_for: ClassVar[str]

    def __str__(self) -> str:
        return f"asks for {self.asks_for}" + (f", saying {quoted(self.prompt)}" if self.prompt else "")


class GetNumber(SpeechInput):
    """Asks for a number."""

    name: Literal["GetNumber"]
    label: ClassVar[str] = "Get a number"
    icon: ClassVar[str] = "number"
    asks_for: ClassVar[str] = "a number"


class GetDate(SpeechInput):
    """Asks for a date."""

    name: Literal["GetDate"]
    label: ClassVar[str] = "Get a date"
    icon: ClassVar[str] = "calendar"
    asks_for: ClassVar[str] = "a date"


class GetName(SpeechInput):
    """Asks for a name."""

    name: Literal["GetName"]
    label: ClassVar[str] = "Get a name"
    icon: ClassVar[str] = "user"
    asks_for: ClassVar[str] = "a name"


class GetYesOrNo(SpeechInput):
    """Asks for yes or no."""

    name: Literal["GetYesOrNo"]
    label: ClassVar[str] = "Get yes or no"
    icon: ClassVar[str] = "help-circle"
    asks_for: ClassVar[str] = "yes or no"


class GetMultipleChoice(SpeechInput):
    """Asks for one of several answers."""

    name: Literal["GetMultipleChoice"]
    label: ClassVar[str] = "Get a choice"
    icon: ClassVar[str] = "list-details"
    asks_for: ClassVar[str] = "one of several answers"


class GetFreeResponse(SpeechInput):
    """Asks for an answer in free words."""

    name: Literal["GetFreeResponse"]
    label: ClassVar[str] = "Get free words"
    icon: ClassVar[str] = "microphone"
    asks_for: ClassVar[str] = "an answer in free words"


class Scan(BaseModel):
    """What live_scan looks for: a name of one's own, and the query."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    key: Annotated[Name, Field(title="Key")]
    query: Annotated[Spoken, Field(title="Query")]


class Conversation(Command):
    """A command that joins people. `do_record` is always sent, since Sift's defaults differ."""

    do_record: Annotated[bool | None, Field(title="Record")] = None
    event_callback: Annotated[
        WebAddress | None,
        Field(title="Events to", description="Sift sends what happens in the conversation to this address."),
    ] = None
    live_talk_times: Annotated[bool | None, Field(title="Live talk times")] = None
    live_transcripts: Annotated[bool | None, Field(title="Live transcripts")] = None
    live_topics: Annotated[bool | None, Field(title="Live topics")] = None
    live_emotion: Annotated[bool | None, Field(title="Live emotion")] = None
    live_scan: Annotated[
        list[Scan] | None,
        Field(title="Live scan", description="Words to listen for.", max_length=MOST_ENTRIES),
    ] = None
    records_by_default: ClassVar[bool] = False

    @property
    def is_recorded(self) -> bool:
        """Return True if it is recorded, by `do_record` or by Sift's default."""
        return self.records_by_default if self.do_record is None else self.do_record

    def for_sift(self) -> dict[str, Any]:
        return super().for_sift() | {"do_record": self.is_recorded}

    @property
    def recording_words(self) -> str:
        """Return the end of the command's description: `, recorded` or nothing."""
        return ", recorded" if self.is_recorded else ""


class JoinConference(Conversation):
    """Joins a conference: all calls in it hear each other."""

    name: Literal["JoinConference"]
    conference_name: Annotated[Name, Field(title="Conference")]
    processors: Annotated[
        list[Name] | None,
        Field(
            title="Processors",
            description="What is done with the recording: transcribe, findtopics, classify:MODEL, grade.",
            max_length=MOST_ENTRIES,
        ),
    ] = None
    label: ClassVar[str] = "Join a conference"
    icon: ClassVar[str] = "users"

    @model_validator(mode="after")
    def _processors_need_a_recording(self) -> Self:
        if self.processors and not self.is_recorded:
            raise PydanticCustomError("processors", "processors: need a recording; set do_record to true")
        return self

    def __str__(self) -> str:
        return f"joins the conference {quoted(self.conference_name)}{self.recording_words}"


class CallPhone(Conversation):
    """Calls a phone and connects the two."""

    name: Literal["CallPhone"]
    phone_number: Annotated[Number, Field(title="Phone number", description="In full, such as +14155550142.")]
    dials: ClassVar[bool] = True
    label: ClassVar[str] = "Call a phone"
    icon: ClassVar[str] = "phone-outgoing"

    def __str__(self) -> str:
        return f"calls {self.phone_number} and connects the two{self.recording_words}"


class CallClient(Conversation):
    """Calls a browser client and connects the two."""

    name: Literal["CallClient"]
    client_name: Annotated[Name, Field(title="Client", description="Without “webrtc:”.")]
    dials: ClassVar[bool] = True
    records_by_default: ClassVar[bool] = True
    label: ClassVar[str] = "Call a client"
    icon: ClassVar[str] = "headset"

    def __str__(self) -> str:
        return f"calls the client {quoted(self.client_name)} and connects the two{self.recording_words}"


class HangUp(Command):
    """Ends the call."""

    name: Literal["HangUp"]
    label: ClassVar[str] = "Hang up"
    icon: ClassVar[str] = "phone-off"

    def __str__(self) -> str:
        return "hangs up"


class Undocumented(Command):
    """A command that is not in this list. What it does is unknown, so it is assumed to dial."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")

    dials: ClassVar[bool] = True
    label: ClassVar[str] = "Another command"
    icon: ClassVar[str] = "question-mark"

    def __str__(self) -> str:
        return f"does {quoted(self.name)}, which the dashboard does not know"


COMMANDS: dict[str, type[Command]] = {
    get_args(command.model_fields["name"].annotation)[0]: command
    for command in (
        Say,
        Play,
        GetDigits,
        GetNumber,
        GetDate,
        GetName,
        GetYesOrNo,
        GetMultipleChoice,
        GetFreeResponse,
        JoinConference,
        CallPhone,
        CallClient,
        HangUp,
    )
}
# Field names in the vendor's older guide, and their present names.
OLDER_NAMES = {"on_event": "event_callback", "live_transcription": "live_transcripts"}


def caller_input(body: Mapping[str, Any]) -> str:
    """Return the keyed or spoken answer in a callback's body, as a key of `then`; empty for none."""
    for field in ("digits", "choice", "value"):
        match body.get(field):
            case bool(answer):
                return "yes" if answer else "no"
            case str() | int() | float() as answer:
                return str(answer)
    return NOTHING_HEARD


def quoted(text: str, longest: int = LONGEST_QUOTED) -> str:
    """Return `text` in quotation marks, on one line, cut to `longest` characters."""
    line = " ".join(text.split())
    return f"“{line[: longest - 1].rstrip()}…”" if len(line) > longest else f"“{line}”"


def file_name(address: str) -> str:
    """Return the file name in an address: `hello.wav`."""
    return address.split("?", 1)[0].rsplit("/", 1)[-1]
