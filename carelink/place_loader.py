"""Reads a place pack into one frozen `Place`, or says everything that is wrong with it, with file and line."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from carelink import place_codes
from carelink.errors import Invalid
from carelink.ids import Ods, UserId
from carelink.place import (
    Agreement,
    Asking,
    BreakGlass,
    CdsClient,
    Ehr,
    LabelRule,
    Linking,
    LocalSensitivity,
    OnDuty,
    Organisation,
    Place,
    RelationshipRule,
    Role,
    Schedule,
    SourceEntry,
    Staff,
    Subscriber,
    Survivorship,
    Watch,
    Words,
)
from carelink.place_schemas import FILES, OPTIONAL, SENSITIVITIES, wrongs
from carelink.toml_lines import line_of, lines
from fhir_adapters import mapping

KeyPath = tuple[str | int, ...]
OWN_ROLE = "person"  # of whoever looks at their own record


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong with a pack."""

    file: str
    line: int
    key: str
    why: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key + ': ' if self.key else ''}{self.why}"


@dataclass(frozen=True)
class _File:
    name: str
    entries: Mapping[str, list[dict[str, Any]]]
    lines: Mapping[KeyPath, int]
    problems: tuple[Problem, ...]

    def problem(self, path: KeyPath, why: str) -> Problem:
        return Problem(self.name, line_of(self.lines, path), ".".join(str(part) for part in path), why)


def load(folder: Path) -> Place:
    """The place of that folder. Raises `Invalid` with the first problem; `check` tells them all."""
    files, problems = _read_all(folder)
    if not problems:
        problems = sorted(_contradictions(files, folder))
    if problems:
        raise Invalid(f"{folder.name}/{problems[0].file}:{problems[0].line}", str(problems[0]).split(": ", 1)[1])
    return _place(folder, files)


def check(folder: Path) -> list[Problem]:
    """Everything that is wrong with the pack, by file and line; empty where it is fine."""
    files, problems = _read_all(folder)
    return sorted(problems) if problems else sorted(_contradictions(files, folder))


def _read_all(folder: Path) -> tuple[dict[str, _File], list[Problem]]:
    files = {name: _read(folder, name) for name in FILES}
    return files, [problem for file in files.values() for problem in file.problems]


def _read(folder: Path, name: str) -> _File:
    path = folder / name
    if not path.is_file() and name in OPTIONAL:
        return _checked(_File(name, {}, {}, ()), {})
    if not path.is_file():
        return _broken(name, 1, "the place pack has no such file")
    try:
        text = path.read_text("utf-8")
        content = tomllib.loads(text)
    except UnicodeDecodeError as wrong:
        return _broken(name, 1, f"is not UTF-8 (byte {wrong.start})")
    except tomllib.TOMLDecodeError as wrong:
        return _broken(name, _line_in(str(wrong)), f"is not TOML: {wrong}")
    return _checked(_File(name, {}, lines(text), ()), content)


def _broken(name: str, line: int, why: str) -> _File:
    return _File(name, {}, {(): line}, (Problem(name, line, "", why),))


def _line_in(message: str) -> int:
    """tomllib says `(at line 3, column 5)` in words."""
    digits = message.partition("line ")[2].partition(",")[0]
    return int(digits) if digits.isdigit() else 1


def _checked(file: _File, content: dict[str, Any]) -> _File:
    entries: dict[str, list[dict[str, Any]]] = {}
    problems: list[Problem] = []
    known = {table for table, _ in FILES[file.name]}
    if "" not in known:
        problems += [
            file.problem((key,), f"unknown; known are {', '.join(sorted(known))}") for key in content.keys() - known
        ]
    for table, schema in FILES[file.name]:
        raw = [content] if not table else content.get(table, [])
        entries[table] = []
        for index, entry in enumerate(raw if isinstance(raw, list) else [raw]):
            read, wrong = wrongs(schema, entry)
            entries[table].append(read)
            where: KeyPath = (table, index) if table else ()
            problems += [file.problem((*where, *path), why) for path, why in wrong.items()]
    return replace(file, entries=entries, problems=tuple(problems))


def _contradictions(files: Mapping[str, _File], folder: Path) -> Iterator[Problem]:
    """What each file alone can't tell: names that no other file knows, doubles, thresholds the wrong way round."""
    organisations = {row["ods"] for row in files["organisations.toml"].entries["organisation"]}
    parties = organisations | {row["type"] for row in files["organisations.toml"].entries["organisation"]} | {"*"}
    roles = {row["id"] for row in files["staff.toml"].entries["role"]}
    categories = set(files["place.toml"].entries[""][0]["categories"])
    sources = {row["name"] for row in files["sources.toml"].entries["source"]}
    sensitivities = set(SENSITIVITIES) | {row["id"] for row in files["consent.toml"].entries["sensitivity"]}
    known: list[tuple[str, str, str, set[str]]] = [
        ("staff.toml", "staff", "organisation", organisations),
        ("staff.toml", "staff", "role", roles),
        ("sources.toml", "source", "organisation", organisations),
        ("agreements.toml", "agreement", "custodian", parties),
        ("agreements.toml", "agreement", "recipient", parties),
        ("agreements.toml", "agreement", "roles", roles),
        ("agreements.toml", "agreement", "categories", categories),
        ("agreements.toml", "agreement", "sensitivities", sensitivities),
        ("consent.toml", "consent", "needs_consent", sensitivities),
        ("consent.toml", "break_glass", "reviewer", roles),
        ("consent.toml", "on_duty", "organisation", organisations),
        ("consent.toml", "watch", "day_roles", roles),
        ("labels.toml", "label", "sensitivities", sensitivities),
        ("labels.toml", "label", "category", categories | {""}),
        ("labels.toml", "label", "sources", sources),
        ("survivorship.toml", "element", "sources", sources | {"*"}),
        ("retention.toml", "schedule", "custodians", parties - {"*"}),
        ("retention.toml", "schedule", "categories", categories),
        ("systems.toml", "subscriber", "organisation", organisations),
        ("systems.toml", "cds_client", "organisation", organisations),
        ("systems.toml", "ehr", "organisation", organisations),
        ("systems.toml", "cds_client", "role", roles - {OWN_ROLE}),
    ]
    for name, table, key, names in known:
        yield from _unknown(files[name], table, key, names)
    for name, table, key in _UNIQUE:
        yield from _doubled(files[name], table, key)
    linking = files["linking.toml"]
    if linking.entries[""][0]["upper"] <= linking.entries[""][0]["lower"]:
        yield linking.problem(("upper",), "must be above `lower`")
    yield from _homeless(files["organisations.toml"])
    yield from _taken_names(files["consent.toml"])
    yield from _unreviewed(files["consent.toml"], files["staff.toml"])
    if OWN_ROLE not in roles:
        yield files["staff.toml"].problem((), f"there is no role {OWN_ROLE!r}: people could not see their own record")
    yield from _lost_mappings(files["sources.toml"], folder)
    yield from _wrongly_pushed(files["sources.toml"])
    yield from _wrong_labels(files["labels.toml"], folder)
    yield from _wrong_keys(files["systems.toml"], folder)


_UNIQUE = (
    ("organisations.toml", "organisation", "ods"),
    ("staff.toml", "role", "id"),
    ("staff.toml", "staff", "id"),
    ("sources.toml", "source", "name"),
    ("agreements.toml", "agreement", "id"),
    ("relationships.toml", "relationship", "kind"),
    ("labels.toml", "label", "id"),
    ("retention.toml", "schedule", "id"),
    ("consent.toml", "sensitivity", "id"),
    ("consent.toml", "sensitivity", "number"),
    ("systems.toml", "cds_client", "issuer"),
    ("systems.toml", "ehr", "iss"),
)


def _unknown(file: _File, table: str, key: str, known: set[str]) -> Iterator[Problem]:
    for index, row in enumerate(file.entries[table]):
        values = row[key] if isinstance(row[key], list) else [row[key]]
        for value in values:
            if value not in known:
                yield file.problem((table, index, key), f"nothing in this pack is called {value!r}")


def _doubled(file: _File, table: str, key: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, row in enumerate(file.entries[table]):
        if row[key] in seen:
            yield file.problem((table, index, key), f"{row[key]!r} is there twice")
        seen.add(row[key])


def _homeless(file: _File) -> Iterator[Problem]:
    homes = [row for row in file.entries["organisation"] if row["type"] == "icb"]
    if len(homes) != 1:
        yield file.problem(
            (), f"one organisation must have the type `icb`: it is the home of the record; found {len(homes)}"
        )


def _taken_names(file: _File) -> Iterator[Problem]:
    for table in ("consent", "break_glass", "watch"):
        if len(file.entries[table]) > 1:
            yield file.problem((table, 1), f"must be there once, as [{table}]")
    for index, row in enumerate(file.entries["sensitivity"]):
        if row["id"] in SENSITIVITIES:
            yield file.problem(("sensitivity", index, "id"), f"{row['id']!r} is one of the national sensitivities")


def _unreviewed(consent: _File, staff: _File) -> Iterator[Problem]:
    """What is opened in need must be answered, so somebody must be able to."""
    held = {row["role"] for row in staff.entries["staff"]}
    may = {row["id"] for row in staff.entries["role"] if "review-break-glass" in row["may"]}
    for row in consent.entries["break_glass"]:
        if row["reviewer"] not in may & held:
            why = f"nobody would review: the role {row['reviewer']!r} needs `review-break-glass`, and somebody who holds it"
            yield consent.problem(("break_glass", "reviewer"), why)


def _lost_mappings(file: _File, folder: Path) -> Iterator[Problem]:
    for index, row in enumerate(file.entries["source"]):
        named = row["options"].get("mapping")
        if named and not (folder / named).is_file():
            yield file.problem(("source", index, "options"), f"there is no file {named!r} in the pack")
        elif named:
            yield from _wrong_mapping(folder, str(named))


def _wrongly_pushed(file: _File) -> Iterator[Problem]:
    """What a client says of an NHS number is not verified by its saying so, as the answer to a question by number is."""
    for index, row in enumerate(file.entries["source"]):
        if row["clients_push"] and row["kind"] in ("pds", "gp_connect"):
            yield file.problem(
                ("source", index, "clients_push"), f"clients can't push to a source of kind {row['kind']}"
            )


def _wrong_labels(file: _File, folder: Path) -> Iterator[Problem]:
    for index, row in enumerate(file.entries["label"]):
        if not row["category"] and not row["sensitivities"]:
            yield file.problem(("label", index), "gives neither a category nor sensitivities")
        if row["text"] and not row["sensitivities"]:
            yield file.problem(("label", index, "text"), "a hint is for sensitivities: name those that it is for")
    for name in sorted({name for row in file.entries["label"] for name in row["code_sets"]}):
        for line, column, why in place_codes.read(folder / name).wrong:
            yield Problem(name, line, column, why)


def _wrong_keys(file: _File, folder: Path) -> Iterator[Problem]:
    for index, row in enumerate(file.entries["cds_client"]):
        if row["jwks"] and not _is_key_set(folder / row["jwks"]):
            why = "names no JSON Web Key Set with public keys in the pack"
            yield file.problem(("cds_client", index, "jwks"), why)


def _is_key_set(path: Path) -> bool:
    try:
        keys = json.loads(path.read_text("utf-8"))["keys"]
        return bool(keys) and not any("d" in key or "k" in key for key in keys)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _wrong_mapping(folder: Path, name: str) -> Iterator[Problem]:
    """What the adapters will say of the mapping file, before a source is pulled by it."""
    try:
        mapping.load(folder / name)
    except mapping.MappingWrong as wrong:
        folder_of = f"{Path(name).parent.as_posix()}/"
        for one in wrong.problems:
            yield Problem(folder_of + one.file, one.line, one.key, one.why)


def _place(folder: Path, files: Mapping[str, _File]) -> Place:
    head = dict(files["place.toml"].entries[""][0])
    categories = head.pop("categories")

    def rows(name: str, table: str) -> list[dict[str, Any]]:
        return files[name].entries[table]

    return Place(
        name=folder.name,
        folder=folder,
        words=Words(**head),
        organisations={Ods(row["ods"]): Organisation(**row) for row in rows("organisations.toml", "organisation")},
        roles={
            row["id"]: Role(**_frozen(row, tuples=("purposes",), sets=("may",))) for row in rows("staff.toml", "role")
        },
        staff={
            UserId(row["id"]): Staff(**_frozen(row, tuples=("identifiers",))) for row in rows("staff.toml", "staff")
        },
        sources=tuple(sorted((_source(folder, row) for row in rows("sources.toml", "source")), key=lambda s: s.order)),
        agreements=tuple(
            Agreement(**_frozen(row, sets=("roles", "categories", "purposes", "sensitivities")))
            for row in rows("agreements.toml", "agreement")
        ),
        relationships={row["kind"]: RelationshipRule(**row) for row in rows("relationships.toml", "relationship")},
        labels=tuple(_label(folder, row) for row in rows("labels.toml", "label")),
        linking=Linking(**rows("linking.toml", "")[0]),
        survivorship=tuple(
            Survivorship(**_frozen(row, tuples=("sources",))) for row in rows("survivorship.toml", "element")
        ),
        categories=categories,
        asking=_asking(rows("consent.toml", "consent")),
        glass=_glass(rows("consent.toml", "break_glass")),
        sensitivities=tuple(LocalSensitivity(**row) for row in rows("consent.toml", "sensitivity")),
        schedules=tuple(_schedule(row) for row in rows("retention.toml", "schedule")),
        on_duty=tuple(OnDuty(**_frozen(row, tuples=("days",))) for row in rows("consent.toml", "on_duty")),
        watch=_watch(rows("consent.toml", "watch")),
        subscribers=tuple(Subscriber(**row) for row in rows("systems.toml", "subscriber")),
        cds_clients=tuple(_cds_client(folder, row) for row in rows("systems.toml", "cds_client")),
        ehrs=tuple(Ehr(**row) for row in rows("systems.toml", "ehr")),
        update_creates=any(row["update_creates"] for row in rows("systems.toml", "writing")),
    )


def _asking(rows: list[dict[str, Any]]) -> Asking:
    sets = ("permit_gives", "needs_consent", "objection_yields_to")
    return Asking(**_frozen(rows[0], sets=sets)) if rows else Asking()


def _glass(rows: list[dict[str, Any]]) -> BreakGlass | None:
    return BreakGlass(**_frozen(rows[0], sets=("widens",))) if rows else None


def _watch(rows: list[dict[str, Any]]) -> Watch:
    if not rows:
        return Watch()
    return Watch(**_frozen(rows[0], sets=("day_roles",)) | {"vip": frozenset(map(tuple, rows[0]["vip"]))})


def _frozen(row: dict[str, Any], tuples: Iterable[str] = (), sets: Iterable[str] = ()) -> dict[str, Any]:
    return row | {key: tuple(row[key]) for key in tuples} | {key: frozenset(row[key]) for key in sets}


def _label(folder: Path, row: dict[str, Any]) -> LabelRule:
    listed = [place_codes.read(folder / name).codes for name in row["code_sets"]]
    codes = frozenset((system, code) for system, code in row["codes"]).union(*listed)
    documents = frozenset((system, code) for system, code in row["documents"])
    tuples = ("sensitivities", "sources", "types", "code_sets", "text")
    return LabelRule(**(_frozen(row, tuples=tuples) | {"codes": codes, "documents": documents}))


def _cds_client(folder: Path, row: dict[str, Any]) -> CdsClient:
    jwks = (folder / row["jwks"]).read_text("utf-8") if row["jwks"] else ""
    return CdsClient(**(_frozen(row, tuples=("origins",)) | {"jwks": jwks}))


def _schedule(row: dict[str, Any]) -> Schedule:
    whose = frozenset((system, code) for system, code in row["whose"])
    return Schedule(**(_frozen(row, sets=("custodians", "categories", "types")) | {"whose": whose}))


def _source(folder: Path, row: dict[str, Any]) -> SourceEntry:
    options = dict(row["options"])
    if "mapping" in options:
        options["mapping"] = str(folder / options["mapping"])
    return SourceEntry(**(row | {"options": options}))
