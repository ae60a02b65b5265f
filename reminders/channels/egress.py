"""The one way out over HTTP: to public addresses, over TLS, to where it was aimed, within a time, and no further.

A name is looked up once and the connection goes to the very address that was checked: an answer that changes
between two look-ups, or a redirect, leads nowhere.
"""

import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

# Seconds: to connect, between two parts of an answer, and for everything together; below the 20 s of a send.
CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 10.0
TOTAL_SECONDS: Final = 15.0
# An answer says what became of a message; what is longer is not read.
ANSWER_BYTES: Final = 65_536
_MOST_ADDRESSES: Final = 4
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
# Ranges that lead to an IPv4 address inside them, or that Python's list of special ranges leaves out.
_SPECIAL: Final = tuple(
    ip_network(text)
    for text in (
        *("192.0.0.0/24", "192.88.99.0/24"),
        *("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16"),
    )
)


class EgressError(requests.RequestException):
    """A request that may not leave; `code` says why in a word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Exchange:
    """What is known of one request: whether it was refused, whether it left, and what was answered.

    `hosts` are the only ones it may go to; None means any public one. `status` 0 means no answer.
    """

    hosts: frozenset[str] | None = None
    seconds: float = TOTAL_SECONDS
    refused: str = ""
    # Some of the request has left: from then on a silence leaves its fate unknown.
    is_begun: bool = False
    is_late: bool = False
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    _line: socket.socket | None = None

    def refuse(self, code: str) -> EgressError:
        self.refused = code
        return EgressError(code)

    def watch(self, line: socket.socket) -> None:
        """Keep a second handle on the connection, by which it can be cut while a read waits on it."""
        self._line = line.dup()
        if self.is_late:
            self.cut()

    def cut(self) -> None:
        """End the exchange, whatever it waits for."""
        self.is_late = True
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._line is not None:
            self._line.close()


_exchange: ContextVar[Exchange] = ContextVar("exchange")


@contextmanager
def watched(exchange: Exchange) -> Iterator[Exchange]:
    """Let the block send one request, which the exchange remembers; outside such a block none may leave.

    The block ends after the exchange's seconds, however slowly the other side answers.
    """
    token = _exchange.set(exchange)
    timer = threading.Timer(exchange.seconds, exchange.cut)
    timer.daemon = True
    timer.start()
    try:
        yield exchange
    finally:
        timer.cancel()
        exchange.close()
        _exchange.reset(token)


def post(url: str, **options: Any) -> requests.Response:
    """Send a request within `watched`, whatever the options say about redirects, certificates and time.

    Raises: requests.RequestException, EgressError when it may not leave.
    """
    exchange = _exchange.get(None)
    if exchange is None:
        raise EgressError("unwatched")
    if exchange.is_begun or exchange.status:
        # One message is one request: a second would be a copy, or half a message.
        raise EgressError("second-request")
    wanted = {name: options[name] for name in ("auth", "data", "headers", "json") if name in options}
    with requests.Session() as session:
        # No proxy, no password and no certificates that the environment might name.
        session.trust_env = False
        for scheme in ("http://", "https://"):
            session.mount(scheme, GuardedAdapter())
        response = session.post(
            url,
            **wanted,
            stream=True,
            allow_redirects=False,
            verify=True,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
        )
        _remember(exchange, response)
    return response


def _remember(exchange: Exchange, response: requests.Response) -> None:
    try:
        body = response.raw.read(ANSWER_BYTES, decode_content=True)
    except (OSError, HTTPError) as error:
        raise requests.ConnectionError from error
    # What reads the response later finds this much of it, and never reads on.
    response._content = body
    exchange.status, exchange.headers, exchange.body = response.status_code, response.headers, body


# ---------------------------------------------------------------- where it may go


def check_url(url: str, *, hosts: frozenset[str] | None = None) -> str:
    """Return why an address may not be called, as a short code, or nothing when its name allows it.

    The name alone: what it leads to is checked when it is connected to.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "bad-url"
    if not host or parts.username is not None or parts.password is not None:
        return "bad-url"
    if is_open_host(host, port or (443 if parts.scheme == "https" else 80)):
        return "" if parts.scheme in ("http", "https") else "bad-scheme"
    if parts.scheme != "https":
        return "bad-scheme"
    if hosts is not None and host not in hosts:
        return "foreign-host"
    return "" if _may_be_public(host) else "private-address"


def is_open_host(host: str, port: int) -> bool:
    """Tell whether whoever runs the installation has named the host, or this port of it, as one to call."""
    return not {host, f"{host}:{port}"}.isdisjoint(settings.EGRESS_ALLOWED_HOSTS)


def is_public(text: str) -> bool:
    """Tell whether an address is one of the public network, and not by way of another address inside it."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and (address.ipv4_mapped is not None or address.is_site_local):
        return False
    if any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _may_be_public(host: str) -> bool:
    """Tell names from addresses: an address must be public, and one in an old notation is never taken."""
    try:
        ip_address(host)
    except ValueError:
        # "127.1", "2130706433" and "0x7f.1" are addresses to a resolver; no public name ends in a number.
        name, dot, ending = host.rstrip(".").rpartition(".")
        return bool(name and dot) and not _NUMBER.fullmatch(ending)
    return is_public(host)


def connect(host: str, port: int) -> socket.socket:
    """Return a connection to an address of the host, every one of which was checked.

    Raises: EgressError when one may not be called, OSError when none answers.
    """
    exchange = _exchange.get()
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if not is_open_host(host, port) and not all(is_public(str(address[0])) for *_, address in found):
        raise exchange.refuse("private-address")
    problem: OSError | None = None
    for family, kind, protocol, _name, address in found[:_MOST_ADDRESSES]:
        line = socket.socket(family, kind, protocol)
        try:
            line.settimeout(CONNECT_SECONDS)
            line.connect(address)
        except OSError as error:
            line.close()
            problem = error
            continue
        exchange.watch(line)
        return line
    raise problem or OSError("The name has no address.")


# ---------------------------------------------------------------- urllib3 and requests


class _Guarded:
    """Connects to a checked address and notes when the request begins to leave; TLS still asks for the name."""

    host: str
    port: int
    sock: Any
    connect: Callable[[], None]

    def _new_conn(self) -> socket.socket:
        return connect(self.host, self.port)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _exchange.get().is_begun = True
        super().send(data)  # type: ignore[misc]  # mixed into urllib3's connections


class _Connection(_Guarded, HTTPConnection):
    pass


class _TlsConnection(_Guarded, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class GuardedAdapter(HTTPAdapter):
    """Sends over guarded connections, each used once: of one gone stale nobody knows what it delivered."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        exchange = _exchange.get()
        code = check_url(request.url or "", hosts=exchange.hosts)
        if code:
            raise exchange.refuse(code)
        request.headers["Connection"] = "close"
        return super().send(request, *args, **options)
