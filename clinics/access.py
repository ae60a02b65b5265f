"""What each role may do; every face asks here."""

from enum import StrEnum
from typing import Final

from clinics.models import Role, StaffMember


class Capability(StrEnum):
    READ = "read"  # see the clinic's clients, courses and worklists
    BOOK = "book"  # book, move, cancel, pause, register clients, send messages, work the call list
    RECORD = "record"  # arrivals, outcomes, reactions, corrections
    PRESCRIBE = "prescribe"  # prescribe, change, end phases, restart, discontinue, override
    EXPORT = "export"  # take rows out of the system
    MANAGE = "manage"  # settings, staff, audit log


_READERS: Final = frozenset({Capability.READ})
CAPABILITIES: Final[dict[str, frozenset[Capability]]] = {
    Role.OWNER: frozenset(Capability),
    Role.PRESCRIBER: _READERS | {Capability.PRESCRIBE, Capability.BOOK, Capability.RECORD},
    Role.PRACTITIONER: _READERS | {Capability.RECORD},
    Role.RECEPTIONIST: _READERS | {Capability.BOOK, Capability.RECORD},
    Role.ANALYST: _READERS | {Capability.EXPORT},
}


def is_allowed(member: StaffMember, capability: Capability) -> bool:
    """Tell whether the member's role includes the capability."""
    return capability in CAPABILITIES[member.role]
