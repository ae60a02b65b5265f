"""A style sheet reduced to the classes that pages use: Tabler has ten times what is needed here."""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

_CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_NOTE = re.compile(r"/\*!.*?\*/\n?", re.DOTALL)
_COMMA = re.compile(r",(?![^(\[]*[)\]])")
# Themes are our own tokens, and the script behind these attributes is not loaded.
_ATTRIBUTE = re.compile(r"\[data-(bs|vc)-[^\]]*\]")
_GROUPS = ("@media", "@supports", "@layer", "@container")


def trim_css(css: str, *, keep: Sequence[str]) -> str:
    """Return minified CSS without the rules of classes that no pattern of `keep` names.

    A selector stays when all its classes are kept; selectors of elements alone stay too. The note in front
    that names authors and licence stays, as the licence asks; other comments go.
    """
    css = css.removeprefix('@charset "UTF-8";')
    note = _NOTE.match(css)
    rules = _COMMENT.sub("", css)
    return (note[0] if note else "") + "".join(_kept(rules, keep))


def _kept(css: str, keep: Sequence[str]) -> Iterator[str]:
    for head, body in _blocks(css):
        if head.startswith(_GROUPS):
            inner = "".join(_kept(body, keep))
            if inner:
                yield f"{head}{{{inner}}}"
        elif head.startswith("@"):
            yield f"{head}{{{body}}}"
        else:
            selectors = [selector for selector in _COMMA.split(head) if _is_kept(selector, keep)]
            if selectors:
                yield f"{','.join(selectors)}{{{body}}}"


def _is_kept(selector: str, keep: Sequence[str]) -> bool:
    if _ATTRIBUTE.search(selector):
        return False
    return all(any(fnmatchcase(name, pattern) for pattern in keep) for name in _CLASS.findall(selector))


def _blocks(css: str) -> Iterator[tuple[str, str]]:
    """Yield the head and the body of every outermost block."""
    start = 0
    while (brace := css.find("{", start)) >= 0:
        depth, end = 1, brace + 1
        while depth:
            found = re.compile(r"[{}]").search(css, end)
            if found is None:
                raise ValueError("The style sheet ends inside a block.")
            depth += 1 if found[0] == "{" else -1
            end = found.end()
        yield css[start:brace].strip(), css[brace + 1 : end - 1]
        start = end
