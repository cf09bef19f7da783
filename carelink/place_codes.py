"""Code sets of a place pack: lists of codes, each with what it means, in CSV; a rule of labels.toml names them.

`parent` is the code of the same set that a code stands under, for a reader; a set holds every descendant that it means.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from io import StringIO
from pathlib import Path

NEEDED = ("system", "code", "meaning")
KNOWN = (*NEEDED, "parent")
SNOMED = "http://snomed.info/sct"

Coding = tuple[str, str]  # system, code
Wrong = tuple[int, str, str]  # line, column, why


@dataclass(frozen=True)
class CodeSet:
    """The codes of one file, and what is wrong with it."""

    codes: frozenset[Coding]
    wrong: tuple[Wrong, ...] = ()


def read(path: Path) -> CodeSet:
    """The code set in that file; a file that is not there or can't be read is one that is wrong."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return CodeSet(frozenset(), ((1, "", "the place pack has no such file"),))
    except UnicodeDecodeError as wrong:
        return CodeSet(frozenset(), ((1, "", f"is not UTF-8 (byte {wrong.start})"),))
    return parse(text)


def parse(text: str) -> CodeSet:
    """The code set that the text says."""
    reader = csv.DictReader(StringIO(text), restval="")
    header = list(reader.fieldnames or ())
    if wrong := tuple(_header(header)):
        return CodeSet(frozenset(), wrong)
    rows = [(reader.line_num, row) for row in reader]
    first = {_coding(row): line for line, row in reversed(rows)}
    return CodeSet(frozenset(first), tuple(_rows(rows, first)))


def _coding(row: dict[str, str]) -> Coding:
    return row["system"].strip(), row["code"].strip()


def _header(header: list[str]) -> Iterator[Wrong]:
    for column in header:
        if column not in KNOWN:
            yield 1, column, f"unknown column; known are {', '.join(KNOWN)}"
        elif header.count(column) > 1:
            yield 1, column, "is there twice"
    for column in NEEDED:
        if column not in header:
            yield 1, column, "this column is missing"


def _rows(rows: list[tuple[int, dict[str, str]]], first: dict[Coding, int]) -> Iterator[Wrong]:
    if not rows:
        yield 1, "", "has no codes"
    codes = {code for _, code in first}
    for line, row in rows:
        system, code = _coding(row)
        yield from ((line, column, "must not be empty") for column in NEEDED if not row[column].strip())
        if None in row:
            yield line, "", "has more cells than there are columns"
        if code and first[system, code] != line:
            yield line, "code", f"{code!r} is there twice"
        if code and system == SNOMED and not is_snomed(code):
            yield line, "code", f"{code!r} is no SNOMED CT identifier: its check digit is wrong"
        if (parent := row.get("parent", "").strip()) and parent not in codes:
            yield line, "parent", f"no code of this set is {parent!r}"


# SNOMED CT identifiers end with a check digit by Verhoeff's scheme (SNOMED CT Release File Specification, SCTID).
def _times(i: int, j: int) -> int:
    """In the group of the turns and mirrorings of a pentagon."""
    if i < 5:
        return (i + j) % 5 if j < 5 else 5 + (i + j) % 5
    return 5 + (i - j) % 5 if j < 5 else (i - j) % 5


_MOVED = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def is_snomed(code: str) -> bool:
    """Whether it can be a SNOMED CT identifier: 6 to 18 digits of which the last proves the others."""
    if not code.isascii() or not code.isdigit() or not 6 <= len(code) <= 18 or code[0] == "0":
        return False
    return reduce(lambda sum_, step: _times(sum_, _moved(int(step[1]), step[0])), enumerate(reversed(code)), 0) == 0


def _moved(digit: int, times: int) -> int:
    for _ in range(times % 8):
        digit = _MOVED[digit]
    return digit
