"""What a process does first that shares the work of a command. No model is imported here: Django is not set up yet."""

import gc

import django


def prepare() -> None:
    """Set Django up in a fresh process."""
    django.setup()
    keep_garbage()


def keep_garbage() -> None:
    """Let this process look for garbage seldom.

    Rows by the thousand are no cycles, and looking through them takes a third of the time.
    """
    gc.freeze()
    gc.set_threshold(200_000, 50, 100)
