"""What is released: each item as it was decided, in words and as FHIR. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from uuid import UUID, uuid5

from carelink.cases.plain_words import in_full
from carelink.cases.subject_access_package import Answer, Item, Package, Part
from carelink.cases.subject_access_records import ENDED, earlier
from carelink.cases.subject_access_redaction import lines_without, redacted
from carelink.cases.subject_access_rules import LEGAL
from carelink.ids import ODS
from carelink.place import Organisation
from carelink.record.timeline_dates import in_words
from carelink.record.timeline_values import Body, Names

_ANSWER = UUID("1b0e9c57-52e2-5b7e-9d64-7d0f2d2f6c34")
Bodies = Mapping[str, tuple[Body, ...]]


@dataclass(frozen=True)
class Line:
    """One item as it is read."""

    title: str
    kind: str
    when: str  # in words
    source: str
    lines: tuple[str, ...]
    earlier: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """A part with the items that are released of it."""

    part: Part
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Answered:
    """All that is released."""

    told: tuple[Told, ...]
    resources: tuple[Body, ...]
    facts: Mapping[str, str]
    left_out: int  # of which may be told that something was
    removed: int  # items with words taken out


def answer(package: Package, bodies: Bodies, names: Names) -> Answered:
    """The package as it was decided. Raises ValueError where an item still waits: nothing is released before."""
    if package.open:
        raise ValueError("an item waits for a decision")
    given = {one.id: released(one, bodies.get(one.key, ())) for one in package.items}
    told = (Told(part, tuple(_lines(package.of(part), given, names))) for part in package.parts)
    return Answered(
        tuple(one for one in told if one.lines),
        tuple(body for bodies_ in given.values() for body in bodies_),
        package.facts,
        sum(one.answer is Answer.LEAVE_OUT and not _unsaid(one) for one in package.items),
        sum(bool(one.redacted) for one in package.items),
    )


def _unsaid(item: Item) -> bool:
    """What the law restricts is not even told to have been left out."""
    return item.proposal is not None and LEGAL in item.proposal.rules


def released(item: Item, bodies: Sequence[Body]) -> tuple[Body, ...]:
    """The versions of a resource as they are released."""
    if item.answer is Answer.LEAVE_OUT:
        return ()
    return tuple(redacted(body, item.redacted) for body in bodies) if item.redacted else tuple(bodies)


def _lines(items: Sequence[Item], given: Mapping[str, tuple[Body, ...]], names: Names) -> Iterator[Line]:
    for item in items:
        if item.answer is not Answer.LEAVE_OUT:
            yield _of_resource(item, given[item.id], names) if given[item.id] else _of_lines(item)


def _of_resource(item: Item, bodies: Sequence[Body], names: Names) -> Line:
    """Said anew from what is left of it, so that nothing that was taken out comes back in other words."""
    said = in_full(bodies[-1], names)
    ended = ENDED if item.title.endswith(ENDED) else ""
    title, kind, when, source = lines_without(
        (said.title + ended, said.kind, in_words(item.when), item.source), item.redacted
    )
    lines, before = lines_without(said.lines, item.redacted), lines_without(earlier(bodies, names), item.redacted)
    return Line(title, kind, when, source, lines, before)


def _of_lines(item: Item) -> Line:
    title, *lines = lines_without((item.title, *item.lines), item.redacted)
    return Line(title, item.kind, in_words(item.when), item.source, tuple(lines), ())


# As FHIR -------------------------------------------------------------------------------------------


def bundle(
    answered: Answered,
    request: int,
    person: UUID,
    home: Organisation,
    directory: Sequence[Body],
    now: datetime,
    base: str,
) -> dict[str, Any]:
    """A document: a Composition whose sections say in words what is no resource, then every version of every resource.

    `base` is the address of the FHIR API, under which references find what they point at.
    """
    stamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    id_ = str(uuid5(_ANSWER, str(request)))
    resources = [_composition(answered, id_, person, home, stamp), *answered.resources, *directory]
    return {
        "resourceType": "Bundle",
        "id": id_,
        "type": "document",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{id_}"},
        "timestamp": stamp,
        "entry": [{"fullUrl": f"{base}/{one['resourceType']}/{one['id']}", "resource": one} for one in resources],
    }


def _composition(answered: Answered, id_: str, person: UUID, home: Organisation, stamp: str) -> dict[str, Any]:
    title = "Everything that is held about the person"
    return {
        "resourceType": "Composition",
        "id": str(uuid5(_ANSWER, f"{id_} composition")),
        "status": "final",
        "type": {"text": "Answer to a subject access request (UK GDPR Article 15)"},
        "subject": {"reference": f"Patient/{person}"},
        "date": stamp,
        "author": [{"identifier": {"system": ODS, "value": home.ods}, "display": home.name}],
        "title": title,
        "section": [_section(one) for one in answered.told],
    }


def _section(told: Told) -> dict[str, Any]:
    items = "".join(f"<li>{escape('; '.join(_said(line)))}</li>" for line in told.lines)
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><ul>{items}</ul></div>'
    return {"title": told.part.heading, "text": {"status": "generated", "div": div}}


def _said(line: Line) -> Iterator[str]:
    yield from (part for part in (line.when, line.title, *line.lines, line.source) if part)
    yield from (f"Before: {one}" for one in line.earlier)
