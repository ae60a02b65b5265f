"""What a process of the web server does once, before its first request."""

import gc
from importlib import import_module
from typing import Final

from django.conf import settings
from django.utils import translation

# A page makes some ten thousand short-lived objects; by default they would be looked through after every 700.
_YOUNG_OBJECTS: Final = 50_000


def warm_up() -> None:
    """Load all views and words, and let no collection of garbage look through what stays until the process ends.

    A full collection would else stop a request for a fifth of a second to find nothing among a million objects.
    """
    import_module(settings.ROOT_URLCONF)
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            translation.gettext("")
    gc.collect()
    gc.freeze()
    _young, middle, old = gc.get_threshold()
    gc.set_threshold(_YOUNG_OBJECTS, middle, old)
