"""What every channel has in common: it takes one message and says in one of four words how that went."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import ClassVar, Literal, Self

OutcomeKind = Literal["sent", "transient", "permanent", "uncertain"]
# What to do with a message of which nobody knows whether it arrived: "retry" where the receiver drops a copy
# with the same key, "retry_once" where a copy does little harm, "park" for a person to decide.
UncertainPolicy = Literal["retry", "retry_once", "park"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes along, such as a calendar file; `media_type` may have parameters."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One message ready to go; `key` is the same at every try, so that a receiver can tell a copy.

    `address` is the only place where a recipient is named. `text` and `html` are the long form, `short` is
    what fits an SMS or a messenger. `reference` is the reminder's code, for a provider's reports to name.
    """

    key: str
    address: str
    subject: str
    text: str
    html: str
    sender_name: str
    reply_to: str = ""
    clinic_id: int | None = None
    short: str = ""
    reference: str = ""
    # Further headers of an e-mail, such as List-Unsubscribe.
    headers: tuple[tuple[str, str], ...] = ()
    attachments: tuple[Attachment, ...] = ()
    # For receivers that are programs: what the message is about, as codes and instants only.
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try ended: `code` is short and never holds an address or the server's words.

    `is_channel_down`: the next message would fare alike, so there is no point in trying it now.
    `is_about_recipient`: put off for this recipient alone, which says nothing of the way out.
    `retry_after`: seconds that the receiver asked to be left alone. `provider_id`: what it calls the message.
    """

    kind: OutcomeKind
    code: str = ""
    is_address_bad: bool = False
    is_channel_down: bool = False
    is_about_recipient: bool = False
    retry_after: int | None = None
    provider_id: str = ""


SENT = Outcome("sent")


class Channel:
    """One way of reaching clients, kept open over a batch and used by one thread."""

    name: ClassVar[str]
    policy: ClassVar[UncertainPolicy] = "park"
    # Whether it waits for a network and never touches the database, so that a thread of its own may run it and
    # several messages may be on the wire. Only where a message of unknown fate may be tried again.
    runs_apart: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, message: Message) -> Outcome:
        """Hand the message over, once; never raises for what a server or a network can do."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what was kept open."""


ChannelFactory = Callable[[], Channel]


@dataclass(frozen=True, slots=True)
class Way:
    """A way out for one clinic on one channel: how to open it, and what it shares its fate with.

    `scope` names the breaker: everything that goes over the same account fails together. `per_minute` is how
    many messages the clinic may send over it in a minute.
    """

    scope: str
    policy: UncertainPolicy
    per_minute: int
    open: ChannelFactory
