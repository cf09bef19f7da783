"""One CSV file, strictly: what is wrong with it is said with its line, before a row of it is used."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO


class FileWrong(Exception):
    """A file that can't be read as it stands. The message begins with the file's name."""


@dataclass(frozen=True)
class Form:
    """How a file is written."""

    encoding: str
    separator: str
    required: frozenset[str]  # columns that must be there


@dataclass(frozen=True)
class Line:
    """One row: its number from 0, the line of the file in which it begins, and its cells by column.

    `odd` says what is wrong with a row that does not fit the header; its cells are then numbered from 1.
    """

    number: int
    at: int
    cells: dict[str, str]
    odd: str = ""


def read(path: Path, form: Form) -> tuple[Iterator[Line], _Digest]:
    """The rows of the file, and the digest of what was read so far: of the whole file when the rows are through.

    Raises FileWrong where the file is not there; the rows raise it where its encoding, header or quotes are wrong.
    """
    try:
        file = path.open("rb")
    except OSError as wrong:
        raise FileWrong(
            f"{path.name}: {'is not there' if isinstance(wrong, FileNotFoundError) else wrong.strerror}"
        ) from wrong
    digest = _Digest()
    return _lines(path.name, file, digest, form), digest


class _Digest:
    """SHA-256 of the bytes that went by."""

    def __init__(self) -> None:
        self._hash = sha256()

    def over(self, file: Iterable[bytes]) -> Iterator[bytes]:
        for line in file:
            self._hash.update(line)
            yield line

    def text(self) -> str:
        return self._hash.hexdigest()


def _lines(name: str, file: BinaryIO, digest: _Digest, form: Form) -> Iterator[Line]:
    with file:
        text = _decoded(name, digest.over(file), form.encoding)
        reader = csv.reader(text, delimiter=form.separator, strict=True)
        header, number, begins = _header(name, reader, form.required), 0, 2
        begins = reader.line_num + 1
        while (cells := _next(name, reader, begins)) is not None:
            if cells:
                yield _line(number, begins, header, cells)
                number += 1
            begins = reader.line_num + 1


def _decoded(name: str, lines: Iterable[bytes], encoding: str) -> Iterator[str]:
    start = 0
    for number, line in enumerate(lines, 1):
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError as wrong:
            where = f"line {number} (byte {start + wrong.start} of the file)"
            raise FileWrong(
                f"{name}: {where}: is not {encoding}; `encoding` of the mapping file can say another"
            ) from wrong
        start += len(line)
        yield text.removeprefix("\ufeff") if number == 1 else text


def _next(name: str, reader: Iterator[list[str]], begins: int) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as wrong:
        raise FileWrong(f"{name}: line {begins}: the quotes of the row that begins here are wrong ({wrong})") from wrong


def _header(name: str, reader: Iterator[list[str]], required: frozenset[str]) -> list[str]:
    header = [column.strip() for column in _next(name, reader, 1) or []]
    missing = sorted(required - set(header))
    if missing:
        raise FileWrong(f"{name}: line 1: column {', '.join(missing)} is missing")
    twice = sorted({column for column in header if column and header.count(column) > 1})
    if twice:
        raise FileWrong(f"{name}: line 1: column {', '.join(twice)} is there twice")
    return header


def _line(number: int, at: int, header: list[str], cells: list[str]) -> Line:
    if len(cells) == len(header):
        return Line(number, at, dict(zip(header, cells, strict=True)))
    numbered = {str(place): cell for place, cell in enumerate(cells, 1)}
    return Line(number, at, numbered, f"has {len(cells)} cells, the header has {len(header)}")
