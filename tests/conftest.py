"""What every test gets: no network but this machine's, Hypothesis profiles, the Chromium that is there.

Nothing of Django is imported here: the tests of the core run without it.
"""

import gc
import os
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bin.browser import find_chromium
from bin.pango import has_pango

ROOT = Path(__file__).resolve().parent.parent
# As many common tests take the time of a slow one.
_PATIENCE = 20

# A test with a browser leaves its event loop running in the process, where Django then sees async code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

# What an application of this size has loaded lives to the end: searching it for garbage after every few
# hundred new objects, as Python does unless told, takes a twentieth of the time of all tests.
gc.set_threshold(50_000, 20, 100)

# Times vary too much between machines for a limit per example.
settings.register_profile("quick", max_examples=30, deadline=None)
settings.register_profile("ci", max_examples=60, deadline=None, derandomize=True, print_blob=True)
settings.register_profile(
    "thorough", max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "quick"))


# WhiteNoise warns of a missing folder, and warnings are errors here.
(ROOT / "staticfiles").mkdir(exist_ok=True)


def pytest_collection_modifyitems(config, items):
    """Put the patient modules first, and say of tests that hold on the other database only why they are not run."""
    # A long module begun last would leave the other worker idle (`make test` hands out whole modules, in this order).
    patience = Counter()
    for item in items:
        patience[item.path] += _PATIENCE if item.get_closest_marker("slow") else 1
    items.sort(key=lambda item: -patience[item.path])
    if not config.pluginmanager.hasplugin("django"):
        return
    is_postgres = os.environ.get("DATABASE_URL", "").startswith("postgres")
    mark, reason = (
        ("sqlite", "needs SQLite") if is_postgres else ("postgres", "needs PostgreSQL in DATABASE_URL")
    )
    for item in items:
        if item.get_closest_marker(mark):
            item.add_marker(pytest.mark.skip(reason=reason))
        if item.get_closest_marker("pdf") and not has_pango():
            item.add_marker(pytest.mark.skip(reason="draws a PDF, and Pango is not installed"))


@pytest.fixture(scope="session", autouse=True)
def unlisted_static_files():
    """Let a test's browser begin at once: the site would list all its static files for each new one.

    A served page of the browser tests has its files from the test server.
    """
    if conf := sys.modules.get("django.conf"):
        conf.settings.WHITENOISE_USE_FINDERS = False


@pytest.fixture(scope="session")
def kept_database(django_db_modify_db_settings):
    """Let a SQLite database begin with what the migrations made the last time."""
    from tests.kept import KeptDatabase, kept_file  # noqa: PLC0415  # the core's tests run without Django

    kept = KeptDatabase(kept_file())
    kept.begin()
    return kept


@pytest.fixture(scope="session")
def django_db_setup(kept_database, django_db_setup, django_db_blocker):
    """Keep what the migrations made, fill the moulds, and let tables be emptied fast."""
    from tests.factories.moulds import fill_moulds  # noqa: PLC0415  # the core's tests run without Django

    with django_db_blocker.unblock():
        kept_database.settle()
        _empty_row_by_row()
        fill_moulds()


def _empty_row_by_row():
    """Empty the tables of PostgreSQL row by row after a test with transactions of its own.

    To truncate a few dozen takes a quarter of a second, most of it the server's waiting for its disk.
    """
    from django.db import connection  # noqa: PLC0415  # the core's tests run without it

    if connection.vendor != "postgresql" or not _may_switch_triggers_off(connection):
        return

    def delete(style, tables, **options):
        # Neither references nor the guard of the audit trail may stand in the way.
        switch = "SET LOCAL session_replication_role = {}"
        deletions = [
            f"{style.SQL_KEYWORD('DELETE FROM')} {connection.ops.quote_name(name)}" for name in tables
        ]
        return [switch.format("replica"), *deletions, switch.format("DEFAULT")]

    connection.ops.sql_flush = delete


def _may_switch_triggers_off(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser')")
        return cursor.fetchone() == ("on",)


@pytest.fixture(autouse=True)
def own_language():
    """Let no test read in the language in which the page of the test before was answered."""
    yield
    if translation := sys.modules.get("django.utils.translation"):
        translation.deactivate()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Start the machine's Chromium, which can reach nothing but this machine."""
    chromium = find_chromium(os.environ)
    assert chromium, "no Chromium found: install it or name it in CHROMIUM_PATH"
    shut = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
    return {**browser_type_launch_args, "executable_path": str(chromium), "args": [shut]}


@pytest.fixture(scope="session")
def axe_source():
    """Return the accessibility checker to run inside a page."""
    return (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
