"""Every table that can be taken out, by its name."""

from typing import Final

from exports.columns import Table
from exports.tables.courses import COURSES, SESSIONS
from exports.tables.house import AUDIT, CLOSURES, PEOPLE, PROTOCOLS
from exports.tables.people import CLIENTS
from exports.tables.slipping import FINDINGS, MESSAGES

TABLES: Final[dict[str, Table]] = {
    table.name: table
    for table in (CLIENTS, COURSES, SESSIONS, FINDINGS, MESSAGES, PROTOCOLS, PEOPLE, CLOSURES, AUDIT)
}
