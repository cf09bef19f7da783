"""What tests share: a real PostgreSQL, a migrated database a test, the example place, the published examples."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from ci_gate import install as pytest_configure  # noqa: F401  pytest calls it
from sqlalchemy import Connection, Engine

from carelink.db import embedded, schema, sync
from carelink.db.engine import engine_for
from carelink.place import Place
from carelink.place_loader import load

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
_numbers = count(1)


def absent(what: str) -> None:
    """Skip, saying why; in CI it must be there."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} must be there in CI")
    pytest.skip(f"{what} is not here")


@pytest.fixture(scope="session")
def postgres() -> Iterator[embedded.Embedded]:
    folder = Path(tempfile.mkdtemp(prefix="carelink-test-"))
    server = embedded.start(folder / "postgres")
    engine = engine_for(server.database("template_carelink"))
    schema.upgrade(engine)
    engine.dispose()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database_url(postgres: embedded.Embedded) -> Iterator[str]:
    """The URL of a fresh, migrated database."""
    name = f"test_{next(_numbers)}"
    yield postgres.database(name, template="template_carelink")
    postgres.drop(name)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = engine_for(database_url)
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def shared_engine(postgres: embedded.Embedded, place: Place) -> Iterator[Engine]:
    made = engine_for(postgres.database("shared", template="template_carelink"))
    with made.begin() as conn:
        sync.sync(conn, place)
    yield made
    made.dispose()


@pytest.fixture
def conn(shared_engine: Engine) -> Iterator[Connection]:
    """A connection that knows the place's organisations and staff; what is done on it is rolled back."""
    with shared_engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()


@pytest.fixture(scope="session")
def place() -> Place:
    return load(ROOT / "config" / "places" / "example")


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def shared_examples() -> Path:
    """The folder of published examples, which lives outside the project."""
    folder = Path(os.environ.get("CARELINK_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        absent("the folder of published examples")
    return folder
