"""The demo's folder: what it keeps from one start to the next, and the environment that its processes share."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carelink.audit.keys import SETTING, SigningKey
from carelink.errors import Conflict, Invalid

USUAL = Path(".carelink")


@dataclass(frozen=True)
class Folder:
    """Where the demo keeps its things."""

    path: Path

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def cohort(self) -> Path:
        return self.path / "cohort.txt"

    @property
    def people(self) -> Path:
        return self.path / "people.json"

    def open_for(self, people: int, seed: int) -> None:
        """Make it, or find it again. Raises `Invalid` where it holds other people than those asked for."""
        wanted = {"people": people, "seed": seed}
        kept = self._read("demo.json")
        if kept and {name: kept.get(name) for name in wanted} != wanted:
            raise Invalid(
                str(self.path),
                f"holds {kept['people']} people of seed {kept['seed']}; ask for those, or for another --data",
            )
        self.path.mkdir(parents=True, exist_ok=True)
        self._write("demo.json", {"secret_key": secrets.token_urlsafe(32), **kept, **wanted})
        if not self._audit_key.is_file():
            self._audit_key.touch(mode=0o600)
            self._audit_key.write_text(f"{SigningKey.new().text}\n", "utf-8")

    @contextmanager
    def held(self) -> Iterator[None]:
        """For one demo at a time. The lock goes with the process, however that ends. Raises `Conflict`."""
        with (self.path / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as taken:
                raise Conflict(f"{self.path}: another demo runs on it; end that, or ask for another --data") from taken
            yield

    def _is_held(self) -> bool:
        try:
            with (self.path / "lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            pass
        return False

    @property
    def secret_key(self) -> str:
        """Signs sessions; the same at every start, so that nobody is signed out by one."""
        return str(self._read("demo.json")["secret_key"])

    def sealing(self) -> dict[str, str]:
        """The key that seals the audit, for workers and commands: pages need none. Empty before the first start."""
        return {SETTING: self._audit_key.read_text("utf-8").strip()} if self._audit_key.is_file() else {}

    @property
    def _audit_key(self) -> Path:
        return self.path / "audit.key"

    def keep_environment(self, environ: Mapping[str, str]) -> None:
        """For other commands, while the demo runs."""
        self._write("environment.json", dict(environ))

    def forget_environment(self) -> None:
        (self.path / "environment.json").unlink(missing_ok=True)

    def environment(self) -> Mapping[str, str]:
        """What the running demo's processes share; empty where none runs, also where one was killed."""
        if not self._is_held():
            return {}
        return {str(name): str(value) for name, value in self._read("environment.json").items()}

    def _read(self, name: str) -> dict[str, Any]:
        file = self.path / name
        try:
            found = json.loads(file.read_text("utf-8")) if file.is_file() else {}
        except ValueError as wrong:
            raise Invalid(str(file), "is not JSON; remove it, or ask for another --data") from wrong
        return found if isinstance(found, dict) else {}

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        file = self.path / name
        file.touch(mode=0o600)
        file.write_text(json.dumps(content), "utf-8")


@dataclass(frozen=True)
class Sources:
    """What the simulators said when they were ready."""

    urls: Mapping[str, str]
    secrets: Mapping[str, str]
    cohort: tuple[str, ...]
    people: tuple[Mapping[str, str], ...]

    @classmethod
    def read(cls, line: str) -> Sources:
        """From their one line of JSON."""
        told = json.loads(line)
        urls = {name: url for name, url in told.items() if isinstance(url, str)}
        return cls(urls, told["secrets"], tuple(told["cohort"]), tuple(told["people"]))

    def environ(self) -> dict[str, str]:
        """URL and key of each source, as a place pack's sources read them."""
        keys = {name: f"CARELINK_SOURCE_{name.upper().replace('-', '_')}" for name in self.urls}
        return {f"{keys[name]}_URL": url for name, url in self.urls.items()} | {
            f"{keys[name]}_SECRET": self.secrets[name] for name in self.urls if name in self.secrets
        }


def plain(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment without what another CareLink on this machine was told; a place, a frozen clock and data stay."""
    ours = ("CARELINK_PLACE", "CARELINK_NOW", "CARELINK_SHARED_DATA", "CARELINK_WEB_WORKERS")
    return {name: value for name, value in environ.items() if not name.startswith("CARELINK_") or name in ours}
