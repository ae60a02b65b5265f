"""A pytest plugin: gives each process that tests beside others a database of the broker's own.

What one test counts in the cache, another one's clearing would take away. Loaded before the settings are read.
"""

import os
import re

if _worker := re.search(r"\d+$", os.environ.get("PYTEST_XDIST_WORKER", "")):
    # A server has sixteen; the last ones are left to whoever else uses it.
    _server = os.environ.get("REDIS_URL", "").rsplit("/", 1)[0]
    if _server.count("/") == 2:
        os.environ["REDIS_URL"] = f"{_server}/{1 + int(_worker.group()) % 8}"
