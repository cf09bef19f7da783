"""A GP Connect structured record (STU3) as R4 Items: every entry becomes one of them, or is Rejected with a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from fhir_adapters import exact_json
from fhir_adapters.entries import rejected
from fhir_adapters.gp_connect.about import nhs_numbers, patients_of, whose, wrong_person
from fhir_adapters.gp_connect.codes import ODS
from fhir_adapters.gp_connect.elements import Body, objects, text
from fhir_adapters.gp_connect.references import RETYPED, Record, Target
from fhir_adapters.gp_connect.resource import map_resource
from fhir_adapters.gp_connect.tables import TYPES
from fhir_adapters.source import Item, Reason, Rejected
from fhir_adapters.whole import Whole

# Identifiers that mean the same in every source, best first.
KNOWN_EVERYWHERE = (
    ODS,
    "https://fhir.nhs.uk/Id/ods-site-code",
    "https://fhir.nhs.uk/Id/sds-user-id",
    "https://fhir.nhs.uk/Id/sds-role-profile-id",
)
IDENTIFIED = frozenset({"HealthcareService", "Location", "Organization", "Practitioner", "PractitionerRole"})


@dataclass(frozen=True)
class Mapped:
    """A whole record. Entries = items (less those lifted out of others) + rejected + duplicates."""

    items: tuple[Item, ...]
    rejected: tuple[Rejected, ...]
    duplicates: tuple[str, ...] = ()  # `Type/id` of each entry that came again with the same content
    whole: Whole | None = None  # all that the practice has of the person, where the answer is that


@dataclass(frozen=True)
class _Entry:
    """One resource of the Bundle and the id that it goes by here."""

    resource: Body
    source_id: str
    url: str = ""  # fullUrl, where there is one

    @property
    def type(self) -> str:
        return str(self.resource["resourceType"])

    @property
    def target(self) -> Target:
        return Target(TYPES[self.type].type, self.source_id, _known_as(self.resource))


@dataclass
class _Sorted:
    """What becomes of the entries, filled one by one."""

    items: list[Item] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    seen: dict[tuple[str, str], Body] = field(default_factory=dict)


def map_record(bundle: Any, practice: str, nhs_number: str) -> Mapped:
    """The record of one person at one practice (ODS code), mapped. Never raises for what the source sent.

    An entry that is about another person than the one asked for is Rejected: a whole record, if its Patient is another.
    """
    if not isinstance(bundle, dict) or not isinstance(bundle.get("entry", []), list):
        return Mapped((), (rejected("Bundle", bundle, "Bundle", "the answer is no Bundle with entries"),))
    done = _Sorted()
    entries = list(_read(bundle.get("entry", []), done))
    record = _record(entries, practice, nhs_number)
    for entry in entries:
        _sort(entry, record, done)
    namespaced = tuple(replace(one, namespace=record.namespace) for one in done.rejected)
    return Mapped(tuple(done.items), namespaced, tuple(done.duplicates), _whole(done, record.namespace))


def _whole(done: _Sorted, namespace: str) -> Whole | None:
    """Where the practice answered every clinical area: with its Lists, and without a word about the answer itself.

    An OperationOutcome in it tells of an area that could not be given; each area has a List, be it empty (GP Connect 1.x).
    """
    stored, refused = {one.type for one in done.items}, {one.type for one in done.rejected}
    if "OperationOutcome" in refused or not {"Patient", "List"} <= stored:
        return None
    told = {(one.type, one.source_id) for one in done.items}
    told |= {(TYPES[one.type].type if one.type in TYPES else one.type, one.source_id) for one in done.rejected}
    return Whole("the record", frozenset(told), namespace)


def _read(entries: Sequence[Any], done: _Sorted) -> Iterator[_Entry]:
    nameless: Counter[str] = Counter()
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            done.rejected.append(rejected("Bundle", entry, "Bundle.entry.resource", "is no object"))
        elif (type_ := text(resource.get("resourceType"))) not in TYPES:
            why = "tells about the answer, not about the person" if type_ == "OperationOutcome" else "is not mapped"
            done.rejected.append(rejected(type_ or "Bundle", resource, type_ or "resourceType", f"this type {why}"))
        else:
            url = entry.get("fullUrl")
            yield _Entry(resource, _source_id(resource, nameless), url if isinstance(url, str) else "")


def _source_id(resource: Body, nameless: Counter[str]) -> str:
    """Its own id; for one without, what it is: the code of a List (one of each kind in a record), else its content."""
    type_, id_ = resource["resourceType"], resource.get("id")
    if isinstance(id_, str) and id_:
        return f"{type_}.{id_}" if type_ in RETYPED else id_
    code = resource.get("code")
    codings = objects(code.get("coding")) if isinstance(code, dict) else []
    if type_ != "List" or not codings:
        return f"content-{sha256(exact_json.dumps(resource)).hexdigest()[:32]}"
    made = f"list-{codings[0].get('code')}"
    nameless[made] += 1
    return made if nameless[made] == 1 else f"{made}-{nameless[made]}"


def _record(entries: Sequence[_Entry], practice: str, nhs_number: str) -> Record:
    asked = nhs_number.replace(" ", "")
    patient = whose(patients_of(entry.resource for entry in entries), asked)
    targets: dict[str, Target] = {}
    for entry in entries:
        for said in (f"{entry.type}/{entry.resource.get('id', '')}", entry.url):
            if said and not said.endswith("/"):
                targets.setdefault(said, entry.target)
    if patient is None:
        return Record(practice, asked, targets=targets)
    numbers = nhs_numbers(patient) | ({asked} - {""})
    return Record(practice, asked, f"Patient/{patient.get('id')}", numbers, targets)


def _known_as(resource: Body) -> Body | None:
    if resource["resourceType"] not in IDENTIFIED:
        return None
    known = {str(one.get("system")): one for one in objects(resource.get("identifier")) if one.get("value")}
    system = next((one for one in KNOWN_EVERYWHERE if one in known), "")
    return {"system": system, "value": known[system]["value"]} if system else None


def _sort(entry: _Entry, record: Record, done: _Sorted) -> None:
    """Puts the entry where it belongs, and what it contains beside it."""
    key = TYPES[entry.type].type, entry.source_id
    first = done.seen.setdefault(key, entry.resource)
    if first is not entry.resource:
        if exact_json.dumps(first) == exact_json.dumps(entry.resource):
            done.duplicates.append(f"{entry.type}/{entry.source_id}")
        else:
            done.rejected.append(
                _refused(entry, Reason(f"{entry.type}.id", "duplicate id: the first of them was kept"))
            )
        return
    inner = list(_contained(entry, done))
    led = {f"#{one.resource['id']}": one.target for one in inner}
    for one in (entry, *inner):
        _place(one, led, record, done)


def _contained(entry: _Entry, done: _Sorted) -> Iterator[_Entry]:
    """What it contains, to be items of their own: ended allergies come only so, and nobody finds them in a List."""
    seen: set[str] = set()
    contained = entry.resource.get("contained", [])
    for one in contained if isinstance(contained, list) else [contained]:
        id_, type_ = (one.get("id"), text(one.get("resourceType"))) if isinstance(one, dict) else (None, "")
        if type_ in TYPES and isinstance(id_, str) and id_ and id_ not in seen:
            seen.add(id_)
            yield _Entry(one, f"{entry.type}.{entry.source_id}.{id_}")
        else:
            done.rejected.append(
                rejected(
                    type_ or entry.type,
                    one,
                    f"{entry.type}.contained",
                    "has no id of its own, or no type that is mapped",
                )
            )


def _place(entry: _Entry, contained: dict[str, Target], record: Record, done: _Sorted) -> None:
    reasons = wrong_person(entry.resource, entry.type, TYPES[entry.type].about, record)
    if reasons:
        done.rejected.append(_refused(entry, *reasons))
    else:
        done.items.append(map_resource(entry.resource, entry.source_id, contained, record))


def _refused(entry: _Entry, *reasons: Reason) -> Rejected:
    return Rejected(entry.type, entry.source_id, exact_json.dumps(entry.resource).decode(), reasons)
