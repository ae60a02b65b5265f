"""What a log must not hold: the secret part of a client's address, and the name that a list was searched for."""

import logging
import re
from typing import Final

_SECRET: Final = re.compile(r"(/c/[fhkuv]/)[^\s/?\"']+")
_SEARCHED: Final = re.compile(r"([?&]q=)[^\s&\"']+")


class SecretPaths(logging.Filter):
    """Takes the token out of every line that names a link, and what was looked for out of a list's address.

    Whoever reads a log must neither be able to follow a link nor learn who is a client.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        said = line = record.getMessage()
        if "/c/" in line:
            line = _SECRET.sub(r"\1[token]", line)
        if "q=" in line:
            line = _SEARCHED.sub(r"\1[text]", line)
        if line != said:
            record.msg, record.args = line, ()
        return True
