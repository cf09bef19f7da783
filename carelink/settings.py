"""Typed settings from the environment. A wrong one stops the start with one line that names its key."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from carelink.errors import Invalid

_ROOT = Path(__file__).resolve().parent.parent
PLACES = _ROOT / "config" / "places"
EXPORTS = _ROOT / ".carelink" / "exports"


@dataclass(frozen=True)
class Settings:
    """All that differs between installations of the same place."""

    place: Path = PLACES / "example"
    database_url: str = ""  # empty: the embedded PostgreSQL
    redis_url: str = ""  # empty: a child redis-server where there is one, else the worker without Redis
    secret_key: str = ""
    base_url: str = "http://127.0.0.1:8000"
    oidc_issuer: str = ""
    oidc_client_id: str = "carelink"
    oidc_client_secret: str = ""
    session_minutes: int = 30
    cohort: Path | None = None  # file of NHS numbers, one a line, to ask the per-person sources about
    web_workers: int = 2
    cookie_secure: bool = False
    exports: Path = EXPORTS  # where bulk exports lie; web processes and workers share it
    export_hours: int = 24  # how long
    client_secrets: bool | None = None  # whether clients may prove who they are by a secret; None: in development alone
    keys_nearby: str = ""  # hosts on a private network whose keys may be asked for, with commas between them
    tokens_per_minute: int = 120  # that one client, or one address, may ask for
    audit_key: str = ""  # of those who seal the audit: workers and the relay; empty: nothing is sealed

    @property
    def safe(self) -> bool:
        """Whether this is more than development: others reach it by https, and so must what it asks."""
        return self.base_url.startswith("https://")

    @property
    def has_client_secrets(self) -> bool:
        """Whether a client may prove who it is by a secret. Raises `Invalid` where that is asked for and not safe."""
        if self.client_secrets and self.safe:
            told = "is for development: clients prove by a key who they are. Take it away: CARELINK_BASE_URL is https"
            raise Invalid("CARELINK_CLIENT_SECRETS", told)
        return not self.safe if self.client_secrets is None else self.client_secrets


def _whole(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError("must be 1 or more")
    return value


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise ValueError("is not a folder")
    return path


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ValueError("is not a file")
    return path


def _yes(text: str) -> bool:
    if text.lower() not in ("1", "0", "true", "false", "yes", "no"):
        raise ValueError("must be true or false")
    return text.lower() in ("1", "true", "yes")


def _hosts(text: str) -> str:
    names = [one.strip().lower() for one in text.split(",") if one.strip()]
    if any("/" in one or ":" in one for one in names):
        raise ValueError("must be names of hosts with commas between them, without https:// and ports")
    return ",".join(names)


def _postgres(text: str) -> str:
    if not text.startswith(("postgresql://", "postgresql+psycopg://")):
        raise ValueError("must start with postgresql://")
    return text


def _redis(text: str) -> str:
    if not text.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must start with redis://, rediss:// or unix://")
    return text


def _http(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return text.rstrip("/")


# Environment key -> field and how its text is read.
KEYS: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "CARELINK_PLACE": ("place", _folder),
    "CARELINK_DATABASE_URL": ("database_url", _postgres),
    "CARELINK_REDIS_URL": ("redis_url", _redis),
    "CARELINK_SECRET_KEY": ("secret_key", str),
    "CARELINK_BASE_URL": ("base_url", _http),
    "CARELINK_OIDC_ISSUER": ("oidc_issuer", _http),
    "CARELINK_OIDC_CLIENT_ID": ("oidc_client_id", str),
    "CARELINK_OIDC_CLIENT_SECRET": ("oidc_client_secret", str),
    "CARELINK_SESSION_MINUTES": ("session_minutes", _whole),
    "CARELINK_COHORT": ("cohort", _file),
    "CARELINK_WEB_WORKERS": ("web_workers", _whole),
    "CARELINK_COOKIE_SECURE": ("cookie_secure", _yes),
    "CARELINK_EXPORTS": ("exports", Path),
    "CARELINK_EXPORT_HOURS": ("export_hours", _whole),
    "CARELINK_CLIENT_SECRETS": ("client_secrets", _yes),
    "CARELINK_KEYS_NEARBY": ("keys_nearby", _hosts),
    "CARELINK_TOKENS_PER_MINUTE": ("tokens_per_minute", _whole),
    "CARELINK_AUDIT_KEY": ("audit_key", str),
}


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process. Raises `Invalid` with the key as its place."""
    values: dict[str, object] = {}
    for key, (name, read) in KEYS.items():
        if text := environ.get(key, ""):
            try:
                values[name] = read(text)
            except ValueError as wrong:
                raise Invalid(key, str(wrong)) from wrong
    return Settings(**values)  # type: ignore[arg-type]


def redis_server() -> str | None:
    """The path of a `redis-server` that can be run as a child, or None."""
    return shutil.which("redis-server")
