"""Each search parameter of R4's own definitions is indexed where its expression says, or not supported with a reason.

What is supported is what `metadata` says: both are read from `searched` and the table of parameters.
"""

from __future__ import annotations

import pytest
from r4_definitions import Defined, filled, in_json, parameters
from r4_samples import place_of, sample

from carelink.fhir import searched
from carelink.fhir.capability import RESOURCES
from carelink.record.indexing import index
from carelink.record.parameters import ALIASES, Kind, of_type
from carelink.record.references import SUBJECTS

# The types of issue and docs; AuditEvents and Subscriptions are kept and searched apart from the store.
APART = ("AuditEvent", "Subscription")
STORED = ("Patient", *searched.TYPES)
OF_ALL = ("Resource", "DomainResource")
TABLES = {
    Kind.TOKEN: "tokens",
    Kind.URI: "tokens",
    Kind.STRING: "strings",
    Kind.DATE: "dates",
    Kind.REFERENCE: "references",
    Kind.QUANTITY: "numbers",
}


def defined(type_: str, *bases: str) -> dict[str, Defined]:
    """What R4 has for the type itself, and for all types of those bases."""
    return {one.code: one for one in parameters() if one.type in (type_, *bases)}


def told(type_: str) -> dict[str, str]:
    """What metadata says that the type is searched by."""
    return {name: kind for name, kind, _ in RESOURCES[type_]["parameters"]}


@pytest.mark.parametrize("type_", [*STORED, *APART])
def test_each_parameter_of_r4_is_in_metadata_or_not_supported_with_a_reason(type_: str) -> None:
    there, not_there = told(type_), {**searched.NOT_SUPPORTED[""], **searched.NOT_SUPPORTED.get(type_, {})}
    assert sorted(set(there) & set(not_there)) == [], "said to be there and not to be there"
    r4 = defined(type_, *OF_ALL)
    assert sorted(there.keys() | not_there.keys()) == sorted(r4)
    kinds = {name: one.kind for name, one in r4.items() if name in there and (type_, name) not in searched.OTHERWISE}
    assert {name: there[name] for name in kinds} == kinds


def test_what_is_otherwise_than_in_r4_has_a_reason_and_is_really_otherwise() -> None:
    for (type_, name), why in searched.OTHERWISE.items():
        assert why
        assert told(type_)[name] != defined(type_)[name].kind


def test_each_reason_why_not_is_in_metadata() -> None:
    for type_, reasons in searched.NOT_SUPPORTED.items():
        assert all(
            name in searched.unsupported(type_) and why in searched.unsupported(type_) for name, why in reasons.items()
        )


def stored() -> list[Defined]:
    return [one for type_ in STORED for one in defined(type_).values() if one.code in told(type_)]


def indexed() -> list[Defined]:
    return [one for one in stored() if one.kind != "composite" and one.code not in (*searched.OF_A_PERSON, *ALIASES)]


def paths(type_: str, code: str) -> frozenset[str]:
    """Where our tables say that the values of the parameter stand."""
    known = of_type(type_)
    numbers = known[code].numbers
    return frozenset(".".join(path) for one in known.values() if one.number in numbers for path in one.paths[type_])


def test_values_are_read_from_where_the_expressions_say() -> None:
    assert len(indexed()) > 450
    assert [(one.type, one.code) for one in indexed() if paths(one.type, one.code) != in_json(one)] == []


def test_a_part_of_telecom_is_asked_for_by_its_system() -> None:
    for one in stored():
        if one.code in ALIASES:
            code, system = ALIASES[one.code]
            assert one.expression == f"{one.type}.{code}.where(system='{system}')"
            assert code in told(one.type)


def test_whose_something_is_stands_in_the_elements_that_make_it_so() -> None:
    where = {path.partition(":")[0] for one in stored() if one.code in searched.OF_A_PERSON for path in in_json(one)}
    assert where <= {*SUBJECTS, "participant.actor", "target"}


def test_the_parts_of_a_composite_stand_where_its_expressions_say() -> None:
    composites = [one for one in stored() if one.kind == "composite"]
    assert len(composites) == 12
    for one in composites:
        ours = of_type(one.type)[one.code]
        bases = [base.removeprefix(one.type).strip(".") for base in one.expression.split(" | ")]
        for part, said in zip(ours.components, one.components, strict=True):
            whole = " | ".join(
                f"{one.type}.{base}.{each}".replace("..", ".").replace("as(DateTime)", "as(dateTime)")
                for base in bases
                for each in said.split(" | ")
            )
            of = of_type(one.type)[part]
            wanted = in_json(Defined(one.type, part, of.kind.value, whole, frozenset(), ()))
            assert wanted & paths(one.type, part)  # which may read more: a SampledData too, the text of a concept
        assert ours.within == (one.expression != one.type)


def test_a_reference_may_name_what_r4_lets_it_name() -> None:
    for one in indexed():
        if one.kind == "reference":
            ours = of_type(one.type)[one.code].targets[one.type]
            assert ours == (one.targets if len(one.targets) < 100 else frozenset()), (one.type, one.code)


@pytest.mark.parametrize("type_", STORED)
def test_what_stands_in_meta_is_indexed_of_every_type(type_: str) -> None:
    coding = {"system": "urn:tags", "code": "x"}
    profile = "https://example.org/StructureDefinition/p"
    tokens = index(type_, {"meta": {"profile": [f"{profile}|1"], "tag": [coding], "security": [coding]}}).tokens
    number = {code: of_type(type_)[code].number for code in ("_profile", "_tag", "_security")}
    wanted: list[tuple[object, ...]] = [
        (number["_profile"], None, profile, None),
        (number["_profile"], None, f"{profile}|1", None),
    ]
    wanted += [(number[code], "urn:tags", "x", None) for code in ("_tag", "_security")]
    assert {row for row in tokens if row[0] >= 600} == set(wanted)
    for code in number:
        assert in_json(next(one for one in parameters() if (one.type, one.code) == ("Resource", code))) == {
            f"meta.{code[1:]}"
        }


def examples() -> list[tuple[Defined, str]]:
    return [(one, path) for one in indexed() for path in sorted(in_json(one))]


def test_an_example_that_fills_the_element_is_in_the_index_and_one_without_is_not() -> None:
    missing = []
    for one, path in examples():
        ours = of_type(one.type)[one.code]
        value, _ = sample(one, path)
        rows = getattr(index(one.type, filled(one.type, place_of(path), value)), TABLES[ours.kind])
        if not any(row[0] in ours.numbers for row in rows):
            missing.append((one.type, one.code, path))
        empty = index(one.type, {"resourceType": one.type})
        assert one.code == "deceased" or not any(row[0] in ours.numbers for row in getattr(empty, TABLES[ours.kind]))
    assert missing == []
