"""Whom to ask about, for sources that answer only about a named person: everybody known, and the place's cohort."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from carelink.consent.lens import Lens
from carelink.db.tables import resource, source_person
from carelink.errors import Invalid
from carelink.ids import NHS_NUMBER, ODS, PersonKey, resource_key
from carelink.record import search
from carelink.record.query import Query
from fhir_adapters import exact_json
from fhir_adapters.source import Item, Wanted

PER_PERSON = frozenset({"gp_connect", "pds"})
# An answer without a Patient is a refusal there (dissent, a sensitive record, not registered): never "nothing known".
GIVES_RECORDS = frozenset({"gp_connect"})
PAGE = 500


@dataclass(frozen=True)
class Asked:
    """One person to ask about; `person` is None where only the cohort names them."""

    wanted: Wanted
    person: PersonKey | None = None


def everybody(conn: Connection, now: datetime, cohort: Path | None) -> list[Asked]:
    """Every person of the record in the order of their keys, then those of the cohort whom the record does not know."""
    known = list(_known(conn, now))
    numbers = {one.wanted.nhs_number for one in known}
    return known + [one for one in read_cohort(cohort) if one.wanted.nhs_number not in numbers]


def read_cohort(path: Path | None) -> list[Asked]:
    """A line a person: NHS number, and after a comma the practice's ODS code where it is known."""
    if path is None:
        return []
    asked = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        nhs_number, _, practice = line.replace(" ", "").partition(",")
        if nhs_number and not (nhs_number.isdigit() and len(nhs_number) == 10):
            raise Invalid(f"{path.name}:{number}", "must start with an NHS number of ten digits")
        if nhs_number:
            asked.append(Asked(Wanted(nhs_number=nhs_number, practice=practice)))
    return asked


def asked_about(conn: Connection, source: str, asked: Iterable[Asked], now: datetime) -> None:
    """Note that the source answered about these people, and about those of the cohort whom it knows."""
    t = resource.c
    answered = select(t.person).where(t.source == source, t.type == "Patient", t.person.is_not(None)).distinct()
    persons = {one.person for one in asked if one.person is not None} | set(conn.execute(answered).scalars())
    _note(conn, source, persons, now)


def answered_about(conn: Connection, source: str, items: Iterable[Item], now: datetime) -> None:
    """Note that the source gave the record of those whose Patient is among the items, which are stored by now."""
    t = resource.c
    patients = [resource_key(source, one.namespace, one.type, one.source_id) for one in items if one.type == "Patient"]
    stored = select(t.person).where(t.key.in_(patients), t.person.is_not(None)).distinct()
    _note(conn, source, set(conn.execute(stored).scalars()) if patients else set(), now)


def _note(conn: Connection, source: str, persons: set[Any], now: datetime) -> None:
    rows = [{"source": source, "person": person, "good_at": now} for person in sorted(persons)]
    for start in range(0, len(rows), PAGE):
        statement = insert(source_person).values(rows[start : start + PAGE])
        conn.execute(statement.on_conflict_do_update(index_elements=["source", "person"], set_={"good_at": now}))


def _known(conn: Connection, now: datetime) -> Iterator[Asked]:
    lens = Lens.system("whom to ask the sources about", now)
    found: dict[PersonKey, Wanted] = {}
    query = Query(types=("Patient",), goldens=True, sort="last_updated", count=PAGE)
    while True:
        page = search.run(conn, lens, query)
        found |= {row.person: _wanted(exact_json.loads(row.body)) for row in page.rows if row.person is not None}
        if not page.next:
            break
        query = replace(query, after=page.next)
    for key in sorted(found):
        yield Asked(found[key], key)


def _wanted(golden: Mapping[str, Any]) -> Wanted:
    name = (golden.get("name") or [{}])[0]
    return Wanted(
        nhs_number=_identifier(golden.get("identifier", ()), NHS_NUMBER),
        family=name.get("family", ""),
        given=(name.get("given") or [""])[0],
        birth_date=golden.get("birthDate", ""),
        gender=golden.get("gender", ""),
        postcode=next((one["postalCode"] for one in golden.get("address", ()) if "postalCode" in one), ""),
        practice=next(
            (ods for one in golden.get("generalPractitioner", ()) if (ods := _logical(one.get("identifier", {})))), ""
        ),
    )


def _identifier(identifiers: Sequence[Mapping[str, Any]], system: str) -> str:
    current = [one for one in identifiers if one.get("system") == system and one.get("use") != "old"]
    return next((one["value"] for one in current if "value" in one), "")


def _logical(identifier: Mapping[str, Any]) -> str:
    return str(identifier.get("value", "")) if identifier.get("system") == ODS else ""
