"""The files of one export: NDJSON under names that tell nothing, for nobody else to read.

Each attempt at an export writes into a folder of its own: one that is begun again after a crash, or beside one that is
taken for dead, mixes with no other. Ids of files come from the id of the export, which is drawn, so that the same
export made again has the same files.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct
from types import TracebackType
from typing import BinaryIO
from uuid import UUID, uuid5

from carelink.ids import PersonKey

OUTPUT, DELETED, ERROR = "output", "deleted", "error"  # where the manifest names a file
LONGEST = 100_000  # lines of one file; then there is a second
_PIECE = 64 * 1024
_SEEN = Struct(">16sI")  # a person, and how many of theirs


@dataclass(frozen=True)
class File:
    """One file of an export that is done."""

    id: UUID
    kind: str
    type: str
    count: int


@dataclass
class _Open:
    id: UUID
    stream: BinaryIO
    kind: str
    type: str
    count: int = 0


@dataclass
class Writing:
    """The files of one attempt while they are written."""

    export: UUID
    folder: Path
    files: list[File] = field(default_factory=list)
    _open: dict[tuple[str, str], _Open] = field(default_factory=dict)
    _parts: dict[tuple[str, str], int] = field(default_factory=dict)
    _ends: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Writing:
        self.folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.mkdir(mode=0o700)
        self._seen = self._ends.enter_context(_private(self.folder / "seen"))
        return self

    def line(self, kind: str, type_: str, text: str) -> None:
        """One resource more; its text has no line break in it, as the store keeps it."""
        file = self._open.get((kind, type_)) or self._begun(kind, type_)
        file.stream.write(text.encode() + b"\n")
        file.count += 1
        if file.count >= LONGEST:
            self._end(file)

    def seen(self, person: PersonKey, count: int) -> None:
        """So many lines are about that person: for the audit, which names them all."""
        self._seen.write(_SEEN.pack(person.bytes, count))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for file in list(self._open.values()):
            self._end(file)
        self._ends.close()
        self.files.sort(key=lambda file: (file.kind, file.type, str(file.id)))

    def _begun(self, kind: str, type_: str) -> _Open:
        part = self._parts[kind, type_] = self._parts.get((kind, type_), 0) + 1
        id_ = uuid5(self.export, f"{kind}/{type_}/{part}")
        file = _Open(id_, _private(path(self.folder, id_)), kind, type_)
        self._open[kind, type_] = file
        return file

    def _end(self, file: _Open) -> None:
        """On the disk before anybody is told that it is there."""
        file.stream.flush()
        os.fsync(file.stream.fileno())
        file.stream.close()
        del self._open[file.kind, file.type]
        self.files.append(File(file.id, file.kind, file.type, file.count))


def path(folder: Path, file: UUID) -> Path:
    """Where that file lies in the folder of its attempt."""
    return folder / f"{file}.ndjson"


def folder_of(root: Path, export: UUID, attempt: UUID) -> Path:
    """Where an attempt writes."""
    return root / str(export) / str(attempt)


def everybody_seen(folder: Path, number: int) -> Iterator[list[tuple[PersonKey, int]]]:
    """Who is in the files and with how many lines each, so many people at a time."""
    with (folder / "seen").open("rb") as stream:
        while part := stream.read(_SEEN.size * number):
            yield [(PersonKey(UUID(bytes=key)), count) for key, count in _SEEN.iter_unpack(part)]


def pieces(file: Path) -> Iterator[bytes]:
    """What it holds, in pieces."""
    with file.open("rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece


def remove(root: Path, export: UUID, but: UUID | None = None) -> None:
    """Delete the files of an export, but those of one attempt. Nothing where they are gone already."""
    folder = root / str(export)
    if but is None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for attempt in folder.iterdir() if folder.is_dir() else ():
        if attempt.name != str(but):
            shutil.rmtree(attempt, ignore_errors=True)
    (folder / str(but) / "seen").unlink(missing_ok=True)


def _private(file: Path) -> BinaryIO:
    """A new file that nobody but this user of the system can read."""
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=_PIECE)
