"""`carelink` commands run in the process of the tests, as a terminal would show them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import structlog
from conftest import NOW

from carelink.cli import main

URL = "CARELINK_DATABASE_URL"


@dataclass(frozen=True)
class Told:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    def is_one_line(self, words: str) -> bool:
        return (self.code, self.out) == (2, "") and self.err.count("\n") == 1 and words in self.err


Carelink = Callable[..., Told]  # words of the command, and by name what else its environment says


@contextmanager
def in_this_process(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Carelink]:
    """Runs commands on that database, unless their environment names another."""
    before = structlog.get_config()
    monkeypatch.setenv("CARELINK_NOW", NOW.isoformat())

    def told(*arguments: str, **environ: str) -> Told:
        with monkeypatch.context() as patch:
            for name, value in {URL: database, **environ}.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main(arguments)
        said = capsys.readouterr()
        return Told(int(ended.value.code or 0), said.out, said.err)

    yield told
    structlog.configure(**before)
