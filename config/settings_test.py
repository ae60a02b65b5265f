"""Overlay for the tests: a fast hasher, in-memory mail, no network."""

from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
AXES_ENABLED = True
DEMO = False
# Tests share no file: the epoch of the fence comes from here.
INSTALLATION_EPOCH = "tests"
# Each test run has a folder of its own, which a fixture makes; nothing may be written where a developer's files lie.
EXPORT_DIR = VAR_DIR / "exports-of-tests"  # noqa: F405
