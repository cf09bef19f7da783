"""On which line of a TOML file a key stands: tomllib doesn't tell, and an error without a line is half an error."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

Path = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""^\s*("[^"]+"|'[^']+'|[\w.-]+)\s*=""")


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in re.findall(r"""(?:"[^"]*"|'[^']*'|[^.])+""", name))


def lines(text: str) -> Mapping[Path, int]:
    """Key path (table names, index in an array of tables, key) -> line, counted from 1."""
    found: dict[Path, int] = {(): 1}
    seen: dict[tuple[str, ...], int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            names = _parts(header[2])
            table = names
            if header[1] == "[[":
                seen[names] = seen.get(names, -1) + 1
                table = (*names, seen[names])
            found[table] = number
        elif key := _KEY.match(line):
            found.setdefault((*table, *_parts(key[1])), number)
    return found


def line_of(found: Mapping[Path, int], path: Sequence[str | int]) -> int:
    """The line of the key, or of the nearest table around it."""
    place = tuple(path)
    while place not in found:
        place = place[:-1]
    return found[place]
