"""Typed readers of the environment; a bad value names its variable and stops the start."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

_env = environ.Env()
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


def read_text(name: str, default: str = "") -> str:
    """Return the variable as text, stripped of surrounding space."""
    return str(_env.str(name, default=default)).strip()


def read_flag(name: str, *, default: bool) -> bool:
    """Return the variable as a yes or no.

    Raises: ImproperlyConfigured when it is neither.
    """
    text = read_text(name, "1" if default else "0").lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be one of on, off, yes, no, 1, 0; it is {text!r}.")


def read_number(name: str, *, default: int, least: int, most: int) -> int:
    """Return the variable as a whole number from least to most, both included.

    Raises: ImproperlyConfigured when it is not a number or lies outside.
    """
    text = read_text(name, str(default))
    try:
        number = int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number; it is {text!r}.") from None
    if not least <= number <= most:
        raise ImproperlyConfigured(f"{name} must lie from {least} to {most}; it is {number}.")
    return number


def read_choice(name: str, *, choices: tuple[str, ...], default: str) -> str:
    """Return the variable when it is one of the choices.

    Raises: ImproperlyConfigured when it is not.
    """
    text = read_text(name, default)
    if text not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}; it is {text!r}.")
    return text


def read_list(name: str) -> list[str]:
    """Return the comma-separated variable as a list without empty items."""
    return [item.strip() for item in read_text(name).split(",") if item.strip()]


def read_required(name: str, *, reason: str) -> str:
    """Return a variable that must be set.

    Raises: ImproperlyConfigured naming the variable and why it is needed.
    """
    text = read_text(name)
    if not text:
        raise ImproperlyConfigured(f"{name} is not set: {reason}")
    return text


def read_url(name: str, *, schemes: tuple[str, ...], default: str = "") -> str:
    """Return the variable as an absolute address with one of the schemes.

    Raises: ImproperlyConfigured when it is not such an address.
    """
    text = read_text(name, default)
    if text and (urlsplit(text).scheme not in schemes or "://" not in text):
        # The value may hold a password, so only the variable is named.
        raise ImproperlyConfigured(f"{name} must be an address starting with {' or '.join(schemes)}://.")
    return text


def read_database(name: str, *, embedded_file: Path) -> dict[str, object]:
    """Return Django's database settings: the address in the variable, else the embedded SQLite file.

    Raises: ImproperlyConfigured for an address that is neither PostgreSQL nor SQLite.
    """
    address = read_url(name, schemes=("postgres", "postgresql", "sqlite"), default="")
    config: dict[str, object] = dict(_env.db_url_config(address or f"sqlite:///{embedded_file}"))
    if config["ENGINE"] == "django.db.backends.sqlite3":
        # IMMEDIATE takes the write lock at the start: with deferred transactions two writers that
        # both read first end in "database is locked" however long the timeout.
        config["OPTIONS"] = {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY",
        }
    else:
        config["CONN_MAX_AGE"] = 60
        config["CONN_HEALTH_CHECKS"] = True
    return config


def read_secret(name: str, *, embedded_file: Path | None) -> str:
    """Return the variable, else a secret kept in the file (made on first use).

    Raises: ImproperlyConfigured when it is unset and no file is given, or shorter than 32 characters.
    """
    text = read_text(name)
    if not text and embedded_file is not None:
        return _kept_secret(embedded_file)
    if len(text) < 32:
        raise ImproperlyConfigured(f"{name} must be set to a random text of at least 32 characters.")
    return text


def _kept_secret(file: Path) -> str:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        # Written aside and linked whole: web and worker start together, and neither may read half a secret.
        with NamedTemporaryFile("w", dir=file.parent, encoding="ascii") as draft:
            draft.write(secrets.token_urlsafe(48))
            draft.flush()
            with suppress(FileExistsError):
                os.link(draft.name, file)
    return file.read_text(encoding="ascii")
