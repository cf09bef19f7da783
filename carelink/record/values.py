"""The text of a search value as FHIR writes it: what separates, what is escaped, and a prefix (R4 3.1.1.4.1, 3.1.1.4.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_PREFIXED = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)", re.DOTALL)


def parted(text: str, separator: str) -> list[str]:
    """The text at every separator that is not escaped; what is escaped in the parts stays so."""
    return list(_parts(text, separator))


def _parts(text: str, separator: str) -> Iterator[str]:
    begin = here = 0
    while here < len(text):
        if text[here] == "\\":
            here += 1
        elif text[here] == separator:
            yield text[begin:here]
            begin = here + 1
        here += 1
    yield text[begin:]


def plain(text: str) -> str:
    """The text with nothing escaped in it any more."""
    return re.sub(r"\\([\\,|$])", r"\1", text) if "\\" in text else text


def escaped(text: str) -> str:
    """The other way round: a text of people as a search value."""
    return re.sub(r"([\\,|$])", r"\\\1", text)


def prefixed(text: str) -> tuple[str, str]:
    """The prefix, `eq` where there is none, and the rest."""
    found = _PREFIXED.fullmatch(text)
    assert found is not None, "it matches anything"
    return found[1] or "eq", found[2]
