import re
from pathlib import Path

import pytest
import yaml
from django.db import connection

from bin.services import OLDEST_POSTGRES

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.postgres
@pytest.mark.django_db
def test_suite_runs_on_a_supported_postgres():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    shipped = int(re.fullmatch(r"postgres:(\d+)", services["postgres"]["image"])[1])

    connection.ensure_connection()

    assert OLDEST_POSTGRES <= connection.connection.info.server_version // 10_000 <= shipped
