"""What each role may do; every face asks here."""

from enum import StrEnum
from typing import Final

from clinics.models import ApiToken, Role, Scope, StaffMember


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


# Nobody prescribes and nobody manages a clinic by a token: that takes a person.
SCOPE_CAPABILITIES: Final[dict[str, frozenset[Capability]]] = {
    Scope.READ: _READERS,
    Scope.WRITE: _READERS | {Capability.BOOK, Capability.RECORD},
    Scope.REPORTS: _READERS,
    Scope.EXPORT: frozenset({Capability.EXPORT}),
}


def has_scope(token: ApiToken, scope: Scope) -> bool:
    """Tell whether a token was made for this; one that may write may also read."""
    return scope in token.scopes or (scope == Scope.READ and Scope.WRITE in token.scopes)


def is_token_allowed(token: ApiToken, capability: Capability) -> bool:
    """Tell whether any of the token's scopes includes the capability."""
    return any(capability in SCOPE_CAPABILITIES[scope] for scope in token.scopes)


def is_allowed(member: StaffMember, capability: Capability) -> bool:
    """Tell whether the member's role includes the capability."""
    return capability in CAPABILITIES[member.role]
