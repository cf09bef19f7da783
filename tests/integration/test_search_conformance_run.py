"""An example of each R4 search parameter, made of R4's own definitions and stored, is found by it and by nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID, uuid5

import pytest
from r4_definitions import Defined, filled, in_json, parameters
from r4_samples import MISSED, place_of, sample
from sqlalchemy import Connection

from carelink.consent.lens import Lens
from carelink.fhir import searched
from carelink.ids import ResourceKey
from carelink.record import search
from carelink.record.query import Criterion, Query
from carelink.record.writing import Writable, write

EXAMPLES = UUID("6f0c6b1e-8c43-5d0e-9a53-3c1f5b1f7a10")


def examples(type_: str) -> Iterator[tuple[Defined, str]]:
    """Each parameter of the type that is kept in the index, with each place where its values may stand."""
    asked = {one.name for one in searched.parameters(type_)} - {*searched.OF_A_PERSON}
    for one in parameters():
        if one.type == type_ and one.code in asked and one.kind != "composite":
            for path in sorted(in_json(one)):
                yield one, path


def example(one: Defined, path: str) -> Writable:
    key = ResourceKey(uuid5(EXAMPLES, f"{one.type} {one.code} {path}"))
    value, _ = sample(one, path)
    body = filled(one.type, place_of(path), value) | {"id": str(key)}
    return Writable(key, one.type, body, "example", str(key), "RDV", "directory")


@pytest.mark.parametrize("type_", ["Patient", *searched.TYPES])
def test_each_example_is_found_by_its_parameter(conn: Connection, now: datetime, type_: str) -> None:
    write(conn, [example(*one) for one in examples(type_)], now)
    lens = Lens.system("conformance", now)
    wrong = []
    for one, path in examples(type_):
        if one.code == "email":
            continue  # the example is a telephone
        said, other = ("01632 960001", "1") if one.code == "phone" else (sample(one, path)[1], MISSED[one.kind])
        if example(one, path).key not in found(conn, lens, one, said) or found(conn, lens, one, other):
            wrong.append((one.code, path, said))
    assert wrong == []


def found(conn: Connection, lens: Lens, one: Defined, value: str) -> set[UUID]:
    query = Query((one.type,), criteria=(Criterion(one.code, (value,)),), count=500)
    return {row.key for row in search.run(conn, lens, query).rows}
