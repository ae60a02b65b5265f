"""The image's health check: ask the web server beside it whether it is well."""

import http.client
import os
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

PORT = 8000


def is_healthy(env: Mapping[str, str], *, port: int = PORT) -> bool:
    """Tell whether /healthz answers 200.

    It is asked as the proxy would: under the public name, because the application answers to no other.
    """
    public = urlsplit(env.get("BASE_URL", ""))
    headers = {"Host": public.netloc or "localhost", "X-Forwarded-Proto": public.scheme or "http"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", "/healthz", headers=headers)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if is_healthy(os.environ) else 1)
