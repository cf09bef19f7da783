"""kill -9 of a worker in the middle of an export: another makes it, with the same files as one that nobody disturbed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import pytest
from export_builders import shop, work
from fhir_builders import people
from processes import command, until
from sqlalchemy import Engine, select, text

from carelink import clock
from carelink.cases import exporting, exporting_files
from carelink.cases.exporting import Asked
from carelink.consent.requester import Requester
from carelink.db import embedded
from carelink.db.engine import engine_for
from carelink.db.tables import audit_event, export_job
from carelink.identity import clients
from carelink.ids import Ods, UserId
from carelink.place import Place

LINES = 20_000
POINTS = 6 if os.environ.get("CARELINK_SOAK") else 2
SCOPES = "system/*.rs"
WARD = Requester(UserId("client:ward"), "ward", Ods("RDV"), "hospital", "nurse", "TREAT")
WANTED = Asked("system", SCOPES, ("Condition", "Observation", "Patient"), "http://localhost/fhir/R4/$export")


@pytest.fixture(scope="module")
def there(postgres: embedded.Embedded, place: Place) -> Iterator[tuple[Engine, str]]:
    """A person of whom so much is known that an export takes a while."""
    url = postgres.database("killed_exports", template="template_carelink")
    engine = engine_for(url)
    people(engine, place)
    with engine.begin() as conn:
        clients.register(conn, place, "ward", "RDV", "nurse", SCOPES)
        conn.execute(_MANY, {"lines": LINES})
    yield engine, url
    engine.dispose()
    postgres.drop("killed_exports")


_MANY = text("""
insert into resource
select (jsonb_populate_record(r, jsonb_build_object('key', md5(n::text)::uuid, 'source_id', n::text))).*
from resource r, generate_series(1, :lines) n where r.type = 'Observation'
""")


def asked_for(engine: Engine) -> UUID:
    with engine.begin() as conn:
        return exporting.ask(conn, WARD, WANTED, clock.now(), hours=24)


def files(engine: Engine, folder: Path, id_: UUID) -> list[tuple[str, int, bytes]]:
    """What an export that is done has, without the names of its files, which are its own."""
    with engine.connect() as conn:
        found = exporting.stored(conn, id_)
    assert found is not None
    assert (found.status, found.attempt is not None) == ("done", True)
    root = exporting_files.folder_of(folder / "exports", id_, found.attempt or id_)
    assert [one.name for one in root.parent.iterdir()] == [str(found.attempt)], "of other attempts nothing is left"
    return [(one.type, one.count, exporting_files.path(root, one.id).read_bytes()) for one in found.files]


def written(folder: Path, id_: UUID) -> int:
    return sum(one.stat().st_size for one in (folder / "exports" / str(id_)).rglob("*.ndjson"))


@pytest.mark.parametrize("seed", range(POINTS))
def test_an_export_that_was_broken_off_is_made_again_with_the_same_files(
    there: tuple[Engine, str], place: Place, tmp_path: Path, seed: int
) -> None:
    engine, url = there
    whole = asked_for(engine)
    assert work(shop(engine, place, tmp_path)) == 1
    undisturbed = files(engine, tmp_path, whole)
    size = sum(len(body) for *_, body in undisturbed)
    killed = asked_for(engine)
    environ = {
        "CARELINK_DATABASE_URL": url,
        "CARELINK_EXPORTS": str(tmp_path / "exports"),
        "CARELINK_SECRET_KEY": "x" * 40,
    }
    point = int(size * 0.8 * (seed + Random(seed).random()) / POINTS)
    with command("worker", **environ) as worker:
        until(lambda: written(tmp_path, killed) > point, f"{point} of {size} bytes are written")
        worker.kill()
        worker.wait()
    with engine.connect() as conn:
        assert conn.execute(select(export_job.c.status).where(export_job.c.id == killed)).scalar_one() == "waiting"
        assert rows_of(engine, killed) == [], "nobody is told of what nobody could fetch"
    later = clock.now() + timedelta(minutes=11)  # by then a worker that has not finished is taken for dead
    assert work(shop(engine, place, tmp_path, lambda: later)) == 1
    assert files(engine, tmp_path, killed) == undisturbed
    assert [row.query for row in rows_of(engine, killed)] == ["$export, of people", "$export"]


def rows_of(engine: Engine, id_: UUID) -> list[object]:
    """What the audit keeps of its making."""
    with engine.connect() as conn:
        kept = conn.execute(
            select(audit_event).where(audit_event.c.action == "export").order_by(audit_event.c.id)
        ).all()
    return [row for row in kept if row.detail["export"] == str(id_) and row.query != "$export, asked for"]
