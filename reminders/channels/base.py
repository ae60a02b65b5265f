"""What every channel has in common: it takes one message and says in one of four words how that went."""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import ClassVar, Literal, Self

OutcomeKind = Literal["sent", "transient", "permanent", "uncertain"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message ready to go; `key` is the same at every try, so that a receiver can tell a copy.

    `address` is the only place where a recipient is named.
    """

    key: str
    address: str
    subject: str
    text: str
    html: str
    sender_name: str
    reply_to: str = ""
    clinic_id: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try ended: `code` is short and never holds an address or the server's words.

    `is_channel_down`: the next message would fare alike, so there is no point in trying it now.
    """

    kind: OutcomeKind
    code: str = ""
    is_address_bad: bool = False
    is_channel_down: bool = False


SENT = Outcome("sent")


class Channel:
    """One way of reaching clients, kept open over a batch."""

    name: ClassVar[str]

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
