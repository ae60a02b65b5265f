"""The container files: what the schema and the Dockerfile's linter cannot see."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from bin.services import OLDEST_POSTGRES
from clients.models import Channel
from config.embedded import QUEUES
from reminders.services.ticking import SENDERS_MOST

ROOT = Path(__file__).resolve().parent.parent.parent
WORKERS = ("worker", "worker-send", "worker-send-other", "worker-hooks", "worker-export")
OURS = {"migrate", "web", "beat", *WORKERS}


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]


def major(image):
    return int(re.fullmatch(r"\w+:(\d+)", image)[1])


def read_variables():
    """Return the names that config reads through config/env.py."""
    names = set()
    for path in (ROOT / "config").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and re.fullmatch(r"env\.read_\w+", ast.unparse(node.func)):
                names.add(ast.literal_eval(node.args[0]))
    return names


def documented_variables():
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return [found[1] for line in lines if (found := re.match(r"(?:# )?([A-Z_]+)=", line))]


def test_services_are_complete(services):
    assert set(services) == OURS | {"postgres", "redis"}


def test_own_services_run_one_image_after_the_migration(services):
    assert {services[name]["image"] for name in OURS} == {"regimen"}
    for name in OURS - {"migrate"}:
        assert services[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "postgres": {"condition": "service_healthy"},
            "redis": {"condition": "service_healthy"},
        }


def test_workers_get_a_minute_to_finish(services):
    assert {services[name]["stop_grace_period"] for name in (*WORKERS, "beat")} == {"60s"}


def test_workers_consume_every_queue_once(services):
    commands = [services[name]["command"] for name in WORKERS]
    consumed = [
        word.removeprefix("--queues=").split(",")
        for words in commands
        for word in words
        if "--queues" in word
    ]

    assert sorted(name for names in consumed for name in names) == sorted(QUEUES)


def test_each_queue_has_a_worker_of_its_own_that_chatters_with_nobody(services):
    commands = {name: services[name]["command"] for name in WORKERS}

    assert {name: [word for word in words if "--queues" in word] for name, words in commands.items()} == {
        "worker": ["--queues=default"],
        "worker-send": ["--queues=send"],
        "worker-send-other": ["--queues=send_other"],
        "worker-hooks": ["--queues=hooks"],
        "worker-export": ["--queues=export"],
    }
    for words in commands.values():
        assert {"--without-gossip", "--without-mingle", "--without-heartbeat"} <= set(words)


def test_no_channel_waits_for_the_senders_of_another(services):
    send, other = (services[name]["command"] for name in ("worker-send", "worker-send-other"))

    assert f"--concurrency={SENDERS_MOST}" in send
    # Each in its thread, which mostly waits.
    assert f"--concurrency={SENDERS_MOST * (len(Channel) - 1)}" in other
    assert "--pool=threads" in other


def test_what_knows_of_a_restore_outlives_the_containers(services):
    # The installation file lies in VAR_DIR, which all of them share.
    assert {tuple(services[name]["volumes"]) for name in OURS} == {("var:/app/var",)}
    assert {services[name]["environment"]["VAR_DIR"] for name in OURS} == {"/app/var"}


def test_redis_keeps_its_messages(services):
    assert services["redis"]["command"] == [
        "redis-server", "--appendonly", "yes", "--maxmemory-policy", "noeviction",
    ]  # fmt: skip
    assert services["redis"]["volumes"] == ["redis:/data"]


def test_servers_say_when_they_are_ready(services):
    assert services["postgres"]["healthcheck"]["test"][1] == "pg_isready"
    assert services["redis"]["healthcheck"]["test"] == ["CMD", "redis-cli", "ping"]


def test_no_server_port_is_open_to_others(services):
    assert {name for name in services if services[name].get("ports")} == {"web"}
    assert services["web"]["ports"] == ["127.0.0.1:${PORT:-8000}:8000"]


def test_image_is_of_a_tested_postgres(services):
    # 18 is what the wheel of the dependency group "services" brings, so every machine can test it.
    assert OLDEST_POSTGRES <= major(services["postgres"]["image"]) == 18


def test_example_documents_each_variable_once():
    names = documented_variables()

    assert sorted(names) == sorted(read_variables() | {"PORT", "POSTGRES_PASSWORD"})


def test_compose_reads_nothing_undocumented():
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")

    assert set(re.findall(r"\$\{([A-Z_]+)", text)) == {"PORT", "POSTGRES_PASSWORD"}


def test_image_runs_as_nobody_special():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if line.startswith("USER")] == ["USER 10001"]


def test_image_leaves_out_secrets_and_rows():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert {".*", "var", "node_modules", "tests"} <= set(ignored)
    assert [line for line in ignored if line.startswith("!")] == ["!.dockerignore"]
