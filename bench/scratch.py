"""Scratch databases on PostgreSQL: made, entered and dropped; nothing that was there before is touched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import django
import psycopg
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from bin.services import provide_postgres
from bin.steps import StepError, say
from config import env

# As it was before any bench set anything for Django: what a person wished.
GIVEN = dict(os.environ)


class ScratchServer:
    """A server on which databases may be created; those made through it are dropped at the end."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._made: list[str] = []

    def create(self, purpose: str, *, template: str | None = None) -> str:
        """Make a database, empty or a copy of another one, and return its name."""
        name = f"bench_{os.getpid()}_{purpose}"
        source = sql.Identifier(template or "template1")
        # Nobody may be in a database while it is copied.
        connection.close()
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), source))
        self._made.append(name)
        return name

    def drop_all(self) -> None:
        """Drop every database made here."""
        connection.close()
        while self._made:
            self._run(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(self._made.pop())))

    def _run(self, statement: sql.Composed) -> None:
        try:
            with psycopg.connect(address_of(self._address, "postgres"), autocommit=True) as session:
                session.execute(statement)
        except psycopg.Error as error:
            raise StepError(f"The server of the databases refused: {error}") from error


def address_of(address: str, database: str) -> str:
    """Return the address of another database on the same server."""
    return urlunsplit(urlsplit(address)._replace(path=f"/{database}"))


@contextmanager
def scratch_server() -> Iterator[ScratchServer]:
    """Give a server, with Django set up to use it; its databases are gone afterwards.

    Raises: StepError when there is no server.
    """
    with provide_postgres(GIVEN) as service:
        server = ScratchServer(service.url)
        _set_up_django(service.url)
        try:
            yield server
        finally:
            server.drop_all()


def _set_up_django(address: str) -> None:
    """Let Django use this server, also when it has used another one before."""
    # The address in the environment may be one that is in use: only its server is, never its database.
    os.environ["DATABASE_URL"] = address_of(address, "postgres")
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["REGIMEN_MODE"] = "embedded"
    # One process does it all, and nobody is woken.
    os.environ.pop("REDIS_URL", None)
    django.setup()
    where = env.read_database("DATABASE_URL", embedded_file=Path())
    connection.settings_dict.update({name: where[name] for name in ("HOST", "PORT", "USER", "PASSWORD")})
    connection.settings_dict["CONN_MAX_AGE"] = None


def enter(name: str) -> None:
    """Let Django work in this database from now on."""
    connection.close()
    connection.settings_dict["NAME"] = name
    connection.ensure_connection()


def create_migrated(server: ScratchServer, purpose: str) -> str:
    """Make a database with the application's tables, enter it, and return its name."""
    name = server.create(purpose)
    enter(name)
    say("  tables ...")
    call_command("migrate", verbosity=0, interactive=False)
    return name
