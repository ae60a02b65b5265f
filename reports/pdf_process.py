"""What draws one PDF and ends: a request as JSON comes in, the file goes out. Knows no Django, so that it starts fast."""

import json
import logging
import mimetypes
import resource
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from weasyprint.urls import URLFetcherResponse

# Nobody has this name: what is asked of it is read from the folders.
ASSETS_HOST: Final = "https://assets.invalid"
LIBRARY_MISSING: Final = 3
_MEMORY_BYTES: Final = 1 << 30
_TYPES: Final = {".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}


class AssetError(ValueError):
    """An address that is none of the project's own files."""


def find_asset(url: str, *, static_url: str, folders: list[str]) -> Path:
    """Return the file of an address below the static files.

    Raises: AssetError for everything else: other hosts and schemes, and ways out of the folders.
    """
    parts = urlsplit(url)
    path = unquote(parts.path)
    if f"{parts.scheme}://{parts.netloc}" != ASSETS_HOST or not path.startswith(static_url):
        raise AssetError("This address is not one of a bundled file.")
    for folder in map(Path, folders):
        found = (folder / path.removeprefix(static_url)).resolve()
        if found.is_relative_to(folder.resolve()) and found.is_file():
            return found
    raise AssetError("There is no such bundled file.")


def main() -> int:
    """Answer the request on the standard input; return the exit code."""
    request = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_CPU, (request["seconds"], request["seconds"] + 1))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    # Its warnings quote style sheets and texts.
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    try:
        import weasyprint  # noqa: PLC0415  # slow import
    except OSError:
        return LIBRARY_MISSING
    try:
        page = weasyprint.HTML(
            string=request["html"], base_url=request["base_url"], url_fetcher=_fetcher(request)
        )
        sys.stdout.buffer.write(page.write_pdf(pdf_tags=True))
    except Exception as error:
        sys.stderr.write(type(error).__name__)
        return 1
    return 0


def _fetcher(request: dict[str, Any]) -> Any:
    from weasyprint.urls import URLFetcher, URLFetcherResponse  # noqa: PLC0415  # slow import

    class AssetFetcher(URLFetcher):  # type: ignore[misc]  # it ships no types
        def fetch(self, url: str, headers: dict[str, str] | None = None) -> "URLFetcherResponse":
            found = find_asset(url, static_url=request["static_url"], folders=request["folders"])
            kind = _TYPES.get(found.suffix) or mimetypes.guess_type(found.name)[0]
            return URLFetcherResponse(
                url, found.read_bytes(), {"Content-Type": kind or "application/octet-stream"}
            )

    return AssetFetcher(allowed_protocols=("https",), allow_redirects=False)


if __name__ == "__main__":
    sys.exit(main())
