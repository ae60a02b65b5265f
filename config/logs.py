"""What a log must not hold: the secret part of a client's address."""

import logging
import re
from typing import Final

_SECRET: Final = re.compile(r"(/c/[uv]/)[^\s/?\"']+")


class SecretPaths(logging.Filter):
    """Takes the token out of every line that names a link; whoever reads a log must not be able to follow it."""

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        if "/c/" in line:
            record.msg, record.args = _SECRET.sub(r"\1[token]", line), ()
        return True
