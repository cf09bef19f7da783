"""What is wrong with a mapping file, and in which line of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_HEADER = re.compile(r"\s*\[{1,2}\s*([^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")

Key = tuple[str, ...]


@dataclass(frozen=True)
class Problem:
    """One mistake: `key` is the dotted name, `line` 0 where the key is not there to point at."""

    file: str
    line: int
    key: str
    why: str

    def __str__(self) -> str:
        line = f":{self.line}" if self.line else ""
        return f"{self.file}{line}: {self.key}: {self.why}" if self.key else f"{self.file}{line}: {self.why}"


class MappingWrong(Exception):
    """A mapping file that can't be used. Its text is the first problem; `problems` are all of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        more = len(problems) - 1
        super().__init__(f"{problems[0]}" + (f" (and {more} more)" if more else ""))
        self.problems = tuple(problems)


class CellWrong(Exception):
    """A rule that can't be understood, while its place is known only to the caller."""


@dataclass
class Problems:
    """Collects the problems of one file, so that all of them can be said at once."""

    file: str
    lines: dict[Key, int] = field(default_factory=dict)
    found: list[Problem] = field(default_factory=list)

    def add(self, key: Sequence[str], why: str) -> None:
        """Notes a problem at a key such as ("table", "people", "Patient", "name[0]", "family")."""
        dotted = ".".join(key).replace(".[", "[")
        self.found.append(Problem(self.file, self._line(key), dotted, why))

    def stop_if_any(self) -> None:
        """Raises MappingWrong with all that was found, in the order of lines."""
        if self.found:
            raise MappingWrong(sorted(self.found, key=lambda problem: problem.line))

    def _line(self, key: Sequence[str]) -> int:
        """The line of the key, or of the nearest thing above it that has one."""
        plain = tuple(part for part in key if not part.startswith("["))
        for length in range(len(plain), 0, -1):
            if plain[:length] in self.lines:
                return self.lines[plain[:length]]
        return 0


def lines_of(text: str) -> dict[Key, int]:
    """The line in which each key and each table of a TOML text begins."""
    lines: dict[Key, int] = {}
    table: Key = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _parts(header[1])
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            parts = table + _parts(key[1])
            for length in range(len(table) + 1, len(parts) + 1):
                lines.setdefault(parts[:length], number)
    return lines


def _parts(dotted: str) -> Key:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
