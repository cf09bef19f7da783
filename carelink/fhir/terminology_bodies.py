"""CodeSystem, ValueSet, ConceptMap and the Parameters of their operations, as FHIR R4 writes them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from carelink.record.terminology import CodeSystem, Concept, ConceptMap, Meant, Terminology, ValueSet

Json = dict[str, Any]


def code_system(one: CodeSystem) -> Json:
    """The whole of it; `fragment` where others publish more of it."""
    head = _head("CodeSystem", one.id, one.url, one.title)
    told = [_said(concept) for concept in one.concepts.values()]
    return head | {"content": "complete" if one.whole else "fragment", "count": len(told), "concept": told}


def value_set(one: ValueSet) -> Json:
    """By its codes."""
    return _head("ValueSet", one.id, one.url, one.title) | {"compose": {"include": _included(one.codings)}}


def expansion(one: ValueSet, found: Sequence[tuple[str, Concept]], offset: int, count: int, at: str, id_: str) -> Json:
    """With a part of those that were `found`."""
    contains = [{"system": system, **_said(concept)} for system, concept in found[offset : offset + count]]
    told: Json = {"identifier": f"urn:uuid:{id_}", "timestamp": at, "total": len(found), "offset": offset}
    return _head("ValueSet", one.id, one.url, one.title) | {"expansion": told | _some("contains", contains)}


def concept_map(one: ConceptMap) -> Json:
    """Its words, by the code system that they are mapped to."""
    groups = [
        {"source": one.source, "target": target, "element": [_element(meant) for meant in theirs]}
        for target, theirs in groupby(sorted(one.meant, key=lambda meant: meant.system), key=lambda meant: meant.system)
    ]
    return _head("ConceptMap", one.id, one.url, one.title) | {"sourceUri": one.source, "group": groups}


def looked_up(system: CodeSystem, concept: Concept) -> Json:
    """The answer of $lookup."""
    told = [_text("name", system.title), _text("display", concept.display or concept.code)]
    if concept.parent:
        parent = [{"name": "code", "valueCode": "parent"}, {"name": "value", "valueCode": concept.parent}]
        told.append({"name": "property", "part": parent})
    return {"resourceType": "Parameters", "parameter": told}


def translated(found: Sequence[tuple[ConceptMap, Meant]], *, reverse: bool) -> Json:
    """The answer of $translate."""
    told: list[Json] = [{"name": "result", "valueBoolean": bool(found)}]
    if not found:
        told.append(_text("message", "No map of this server says anything of it"))
    told += [{"name": "match", "part": _match(one, meant, reverse)} for one, meant in found]
    return {"resourceType": "Parameters", "parameter": told}


def capabilities(base: str, version: str, at: str, here: Terminology) -> Json:
    """TerminologyCapabilities: what is carried, and what can be asked of it."""
    return {
        "resourceType": "TerminologyCapabilities",
        "status": "active",
        "date": at,
        "kind": "instance",
        "software": {"name": "CareLink", "version": version},
        "implementation": {"description": "CareLink shared record", "url": base},
        "codeSystem": [{"uri": url} for url in here.systems],
        "expansion": {"paging": True, "parameter": [{"name": name} for name in ("url", "filter", "offset", "count")]},
        "codeSearch": "explicit",
        "translation": {"needsMap": False},
    }


def _head(type_: str, id_: str, url: str, title: str) -> Json:
    return {
        "resourceType": type_,
        "id": id_,
        "url": url,
        "name": "".join(part.capitalize() for part in id_.replace(".", "-").split("-")),
        "title": title,
        "status": "active",
    }


def _said(concept: Concept) -> Json:
    return {"code": concept.code} | ({"display": concept.display} if concept.display else {})


def _included(codings: Iterable[tuple[str, Concept]]) -> list[Json]:
    by: dict[str, list[Json]] = {}
    for system, concept in codings:
        by.setdefault(system, []).append(_said(concept))
    return [{"system": system, "concept": concepts} for system, concepts in by.items()]


def _element(meant: Meant) -> Json:
    return {"code": meant.word, "target": [{**_said(meant.concept), "equivalence": "equivalent"}]}


def _match(one: ConceptMap, meant: Meant, reverse: bool) -> list[Json]:
    coding = {"system": one.source, "code": meant.word} if reverse else {"system": meant.system, **_said(meant.concept)}
    return [
        {"name": "equivalence", "valueCode": "equivalent"},
        {"name": "concept", "valueCoding": coding},
        {"name": "source", "valueUri": one.url},
    ]


def _text(name: str, value: str) -> Json:
    return {"name": name, "valueString": value}


def _some(name: str, found: Sequence[Any]) -> Json:
    """FHIR knows no empty arrays."""
    return {name: found} if found else {}
