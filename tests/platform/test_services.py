import signal
import sys

import psycopg
import pytest
import redis

from bin import services
from bin.services import provide_postgres, provide_redis
from bin.steps import StepError


def test_given_addresses_come_first():
    with (
        provide_postgres({"DATABASE_URL": "postgresql://db/x"}) as postgres,
        provide_redis({"REDIS_URL": "redis://queue/3"}) as broker,
    ):
        assert (postgres.url, postgres.origin) == ("postgresql://db/x", "DATABASE_URL")
        assert (broker.url, broker.origin) == ("redis://queue/3", "REDIS_URL")


def test_given_database_must_be_postgres():
    with (
        pytest.raises(StepError, match=r"^DATABASE_URL is set, but not to a PostgreSQL address;"),
        provide_postgres({"DATABASE_URL": "sqlite:///x"}),
    ):
        pytest.fail("a SQLite file is no PostgreSQL")


@pytest.mark.slow
def test_own_postgres_is_started_and_stopped(monkeypatch):
    monkeypatch.setattr(services, "_standard_postgres", lambda env: None)

    with provide_postgres({}) as postgres:
        server = postgres.url.rsplit("/", 1)[0]
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE test_regimen")

    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"{server}/postgres", connect_timeout=3)


@pytest.mark.slow
def test_own_redis_is_started_and_stopped(monkeypatch):
    monkeypatch.setattr(services, "_standard_redis", lambda: None)

    with provide_redis({}) as broker, redis.Redis.from_url(broker.url) as client:
        assert client.ping() is True

    with pytest.raises(redis.ConnectionError), redis.Redis.from_url(broker.url) as client:
        client.ping()


@pytest.mark.slow
def test_server_that_ends_at_once_shows_its_log(tmp_path):
    command = [sys.executable, "-c", "print('no space left'); raise SystemExit(1)"]

    with (
        pytest.raises(StepError, match="did not start: no space left"),
        services.running(command, folder=tmp_path, user=None, stop=signal.SIGTERM, is_up=lambda: False),
    ):
        pytest.fail("it never ran")
