"""The image's health check: ask the web server beside it whether it can serve.

Whether messages go out is the worker's matter: a proxy must not take the pages away because of it.
"""

import http.client
import json
import os
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

PORT = 8000


def is_healthy(env: Mapping[str, str], *, port: int = PORT) -> bool:
    """Tell whether /healthz answers that all is well, or at least that the database is.

    It is asked as the proxy would: under the public name, because the application answers to no other.
    """
    public = urlsplit(env.get("BASE_URL", ""))
    headers = {"Host": public.netloc or "localhost", "X-Forwarded-Proto": public.scheme or "http"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", "/healthz", headers=headers)
        answer = connection.getresponse()
        return answer.status == 200 or json.loads(answer.read()).get("database") == "ok"
    except (OSError, ValueError, AttributeError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if is_healthy(os.environ) else 1)
