"""The way out over HTTP leads to public addresses only, to where it was aimed, and ends in time."""

import datetime
import socket
import ssl
import time

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from reminders.channels import egress
from reminders.channels.egress import EgressError, Exchange, check_url, is_public, post, watched
from tests.reminders.provider_stub import HANG_UP, Reply, Stub, serving

PUBLIC = "93.184.216.34"


@pytest.fixture
def stub():
    with serving(Stub()) as stub:
        yield stub


def ask(url, **options):
    """Send one request and return what is known of it, whatever became of it."""
    exchange = Exchange(**options)
    with watched(exchange):
        try:
            post(url, data=b"{}")
        except requests.RequestException:
            assert exchange.refused or not exchange.status
    return exchange


def resolve_to(monkeypatch, *answers):
    """Let every name lead to these addresses, one look-up after the other; return the names asked for."""
    asked = []
    real = socket.getaddrinfo

    def look_up(host, port, *args, **kwargs):
        asked.append(host)
        answer = answers[min(len(asked), len(answers)) - 1]
        return real(answer, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize("address", ["8.8.8.8", PUBLIC, "2606:4700:4700::1111"])
def test_public_address_may_be_called(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",  # noqa: S104  # called, not bound
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::ffff:a9fe:a9fe",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "fc00::1",
        "fd12:3456:789a::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "not an address",
    ],
)
def test_any_other_address_may_not(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://clinic.example/hook", ""),
        ("https://clinic.xn--p1ai/hook", ""),
        ("https://clinic.example:8443/hook?a=b", ""),
        (f"https://{PUBLIC}/hook", ""),
        ("http://clinic.example/hook", "bad-scheme"),
        ("ftp://clinic.example/hook", "bad-scheme"),
        ("file:///etc/passwd", "bad-url"),
        ("https://user:word@clinic.example/", "bad-url"),
        ("https://clinic.example@127.0.0.1/", "bad-url"),
        ("https://clinic.example:port/", "bad-url"),
        ("https://", "bad-url"),
        ("https://[::1", "bad-url"),
        ("https://localhost/", "private-address"),
        ("https://localhost./", "private-address"),
        ("https://intranet/", "private-address"),
        ("https://127.0.0.1/", "private-address"),
        ("https://127.1/", "private-address"),
        ("https://127.0.0.1./", "private-address"),
        ("https://2130706433/", "private-address"),
        ("https://0x7f000001/", "private-address"),
        ("https://0x7f.0x0.0x0.0x1/", "private-address"),
        ("https://0177.0.0.1/", "private-address"),
        ("https://017700000001/", "private-address"),
        ("https://[::1]/", "private-address"),
        ("https://[::ffff:127.0.0.1]/", "private-address"),
        ("https://[::ffff:7f00:1]/", "private-address"),
        ("https://169.254.169.254/latest/meta-data/", "private-address"),
    ],
)
def test_address_is_judged_by_its_name_first(url, code):
    assert check_url(url) == code


def test_only_the_providers_own_hosts():
    hosts = frozenset({"api.example.com"})

    assert check_url("https://api.example.com/x", hosts=hosts) == ""
    assert check_url("https://api.example.com.evil.example/x", hosts=hosts) == "foreign-host"


def test_named_host_may_be_private_and_plain(settings):
    settings.EGRESS_ALLOWED_HOSTS = ["ward.local", "127.0.0.1:8080"]

    assert check_url("http://ward.local/hook") == ""
    assert check_url("http://127.0.0.1:8080/hook") == ""
    assert check_url("http://127.0.0.1:8081/hook") == "bad-scheme"
    assert check_url("ftp://ward.local/hook") == "bad-scheme"


# ---------------------------------------------------------------- connections


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "0.0.0.0",  # noqa: S104  # called, not bound
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_way_of_writing_this_machine_reaches_it(stub, host, scheme):
    exchange = ask(f"{scheme}://{host}:{stub.port}/")

    assert exchange.refused in ("private-address", "bad-scheme")
    assert (stub.hits, exchange.is_begun) == (0, False)


def test_the_listener_would_have_heard(stub, settings):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]

    exchange = ask(f"{stub.url}/hook")

    assert (stub.hits, exchange.status, exchange.body) == (1, 200, b"{}")


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"])
def test_public_name_of_a_private_address_is_refused(stub, monkeypatch, address):
    resolve_to(monkeypatch, address)

    exchange = ask(f"https://clinic.example:{stub.port}/")

    assert (exchange.refused, stub.hits) == ("private-address", 0)


def test_one_private_address_among_public_ones_is_refused(stub, monkeypatch):
    def look_up(host, port, *args, **kwargs):
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in (PUBLIC, "127.0.0.1")
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    assert ask(f"https://clinic.example:{stub.port}/").refused == "private-address"
    assert stub.hits == 0


def test_answer_that_changes_between_look_ups_changes_nothing(stub, monkeypatch):
    asked = resolve_to(monkeypatch, PUBLIC, "127.0.0.1")
    called = []

    def call(line, address):
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", call)

    exchange = ask(f"https://clinic.example:{stub.port}/")

    assert (asked, called) == (["clinic.example"], [(PUBLIC, stub.port)])
    assert (exchange.refused, exchange.is_begun, stub.hits) == ("", False, 0)


def test_redirect_is_not_followed(stub, settings):
    with serving(Stub(script=[Reply(307, headers=(("Location", stub.url),))])) as door:
        settings.EGRESS_ALLOWED_HOSTS = [f"127.0.0.1:{door.port}"]
        exchange = ask(f"{door.url}/hook")

    assert (exchange.status, door.hits, stub.hits) == (307, 1, 0)


def test_environment_names_no_way_around(stub, settings, monkeypatch):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with serving(Stub()) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("no_proxy", "")
        ask(stub.url)

    assert (stub.hits, proxy.hits) == (1, 0)


def test_nothing_leaves_unwatched():
    with pytest.raises(EgressError, match="unwatched"):
        post("https://clinic.example/")


def test_second_request_of_an_exchange_is_refused(stub, settings):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with watched(Exchange()):
        post(stub.url, data=b"1")
        with pytest.raises(EgressError, match="second-request"):
            post(stub.url, data=b"2")

    assert [request.body for request in stub.requests] == [b"1"]


# ---------------------------------------------------------------- how far it came


def test_server_that_is_not_there_got_nothing(settings):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    exchange = ask(f"http://127.0.0.1:{port}/")

    assert (exchange.is_begun, exchange.status) == (False, 0)


def test_server_that_hangs_up_may_have_everything(settings):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with serving(Stub(script=[HANG_UP])) as stub:
        exchange = ask(stub.url)

    assert (exchange.is_begun, exchange.status, len(stub.accepted)) == (True, 0, 1)


@pytest.mark.slow
@pytest.mark.parametrize("reply", [Reply(after=5), Reply(body=b"x" * 100, drip=0.1)])
def test_slow_answer_is_cut(settings, reply):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with serving(Stub(script=[reply])) as stub:
        begun = time.monotonic()
        exchange = ask(stub.url, seconds=0.5)
        took = time.monotonic() - begun

    assert (exchange.is_begun, exchange.is_late, exchange.status) == (True, True, 0)
    assert took < 2


def test_endless_answer_is_not_read(settings):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with serving(Stub(script=[Reply(body=b"x" * 1_000_000)])) as stub:
        exchange = ask(stub.url)

    assert len(exchange.body) == egress.ANSWER_BYTES


# ---------------------------------------------------------------- TLS


def make_certificate(folder, name):
    """Write a certificate that signs itself for a name, and return what serves it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return path, context


@pytest.fixture
def trusted(tmp_path, monkeypatch):
    """Return a server's TLS for "clinic.example", trusted as any public one."""
    path, context = make_certificate(tmp_path, "clinic.example")
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(path))
    monkeypatch.setattr("requests.adapters.where", lambda: str(path), raising=False)
    return context


def test_certificate_is_asked_for_the_name_though_the_address_is_pinned(trusted, settings, monkeypatch):
    settings.EGRESS_ALLOWED_HOSTS = ["clinic.example", "other.example"]
    resolve_to(monkeypatch, "127.0.0.1")
    with serving(Stub(), tls=trusted) as stub:
        good = ask(f"https://clinic.example:{stub.port}/")
        other = ask(f"https://other.example:{stub.port}/")

    assert (good.status, other.status, other.is_begun) == (200, 0, False)
    assert len(stub.accepted) == 1


def test_certificate_of_nobody_known_is_refused(tmp_path, settings, monkeypatch):
    settings.EGRESS_ALLOWED_HOSTS = ["clinic.example"]
    resolve_to(monkeypatch, "127.0.0.1")
    _, context = make_certificate(tmp_path, "clinic.example")
    with serving(Stub(), tls=context) as stub:
        exchange = ask(f"https://clinic.example:{stub.port}/")

    assert (exchange.status, exchange.is_begun, stub.accepted) == (0, False, [])
