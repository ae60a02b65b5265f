"""Commands around the application: set it up, run it, test it. They need nothing but Python itself."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (says so on an older Python instead of failing on newer syntax)
    sys.exit(
        f"Regimen needs Python 3.11 or newer; this is {sys.version.split()[0]}. Name one: make PYTHON=python3.11"
    )
