"""The R4 invariants that fhir.resources does not check, as tables: id, what it says, and what a breach comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from carelink.record.partial_dates import before
from fhir_adapters import exact_json
from fhir_adapters.source import Reason, Repair

Body = dict[str, Any]


class Breach(Enum):
    """What becomes of a resource that breaks an invariant."""

    REFUSE = "to quarantine"
    KEEP = "kept as sent; told on its Provenance"  # refusing it would withhold something clinical
    MEND = "mended as the rule says"


@dataclass(frozen=True)
class Invariant:
    """An invariant of R4 by its id. `broken` tells whether the element breaks it; `mend` gives the element put right."""

    id: str
    says: str
    broken: Callable[[Mapping[str, Any]], bool]
    breach: Breach = Breach.REFUSE
    mend: Callable[[Mapping[str, Any]], Body] | None = None


def _less(element: Mapping[str, Any], *names: str) -> Body:
    return {key: value for key, value in element.items() if key.removeprefix("_") not in names}


def _code(concept: Any) -> str:
    codings = (concept or {}).get("coding") or [{}]
    return str(codings[0].get("code", ""))


def _value(observation: Mapping[str, Any]) -> bool:
    return any(key.startswith("value") for key in observation)


# Of a resource, by type.
OF_TYPE: Mapping[str, tuple[Invariant, ...]] = {
    "AllergyIntolerance": (
        Invariant(
            "ait-1",
            "clinicalStatus must be there unless it was entered in error",
            lambda r: "clinicalStatus" not in r and _code(r.get("verificationStatus")) != "entered-in-error",
            Breach.KEEP,
        ),
        Invariant(
            "ait-2",
            "clinicalStatus must not be there when it was entered in error",
            lambda r: "clinicalStatus" in r and _code(r.get("verificationStatus")) == "entered-in-error",
            Breach.MEND,
            lambda r: _less(r, "clinicalStatus"),
        ),
    ),
    "Appointment": (
        Invariant("app-2", "start and end come together", lambda r: ("start" in r) != ("end" in r)),
        Invariant(
            "app-3",
            "only a proposed, cancelled or waitlisted appointment may lack its times",
            lambda r: "start" not in r and r.get("status") not in ("proposed", "cancelled", "waitlist"),
        ),
    ),
    "CarePlan": (
        Invariant(
            "cpl-3",
            "an activity has a reference or a detail, not both",
            lambda r: any("detail" in one and "reference" in one for one in r.get("activity", ())),
        ),
    ),
    "Condition": (
        Invariant(
            "con-4",
            "what has abated is not active",
            lambda r: (
                any(key.startswith("abatement") for key in r)
                and _code(r.get("clinicalStatus")) not in ("resolved", "remission", "inactive", "")
            ),
            Breach.KEEP,
        ),
        Invariant(
            "con-5",
            "clinicalStatus must not be there when it was entered in error",
            lambda r: "clinicalStatus" in r and _code(r.get("verificationStatus")) == "entered-in-error",
            Breach.MEND,
            lambda r: _less(r, "clinicalStatus"),
        ),
    ),
    "Consent": (
        Invariant(
            "ppc-1", "a policy or a policyRule", lambda r: "policy" not in r and "policyRule" not in r, Breach.KEEP
        ),
    ),
    "List": (
        Invariant(
            "lst-2", "emptyReason only where there are no entries", lambda r: "emptyReason" in r and "entry" in r
        ),
        Invariant(
            "lst-1",
            "only a list of changes marks entries deleted",
            lambda r: r.get("mode") != "changes" and any("deleted" in one for one in r.get("entry", ())),
        ),
        Invariant(
            "lst-3",
            "entries are dated only in a working list",
            lambda r: r.get("mode") != "working" and any("date" in one for one in r.get("entry", ())),
            Breach.KEEP,
        ),
    ),
    "Observation": (
        Invariant("obs-6", "dataAbsentReason only without a value", lambda r: "dataAbsentReason" in r and _value(r)),
        Invariant(
            "obs-7",
            "no value beside a component of the same code",
            lambda r: _value(r) and any(one.get("code") == r.get("code") for one in r.get("component", ())),
        ),
    ),
    "Organization": (
        Invariant(
            "org-1",
            "a name or an identifier",
            lambda r: "name" not in r and "identifier" not in r,
            Breach.KEEP,
        ),
    ),
    "Patient": (
        Invariant(
            "pat-1",
            "a contact has a name, a telephone, an address or an organisation",
            lambda r: any(
                not one.keys() & {"name", "telecom", "address", "organization"} for one in r.get("contact", ())
            ),
            Breach.KEEP,
        ),
    ),
    "QuestionnaireResponse": (
        Invariant(
            "qrs-1",
            "an item has answers or items, not both",
            lambda r: any("answer" in one and "item" in one for one in r.get("item", ())),
        ),
    ),
    "ServiceRequest": (
        Invariant("prr-1", "orderDetail only with a code", lambda r: "orderDetail" in r and "code" not in r),
    ),
    "Task": (
        Invariant(
            "inv-1",
            "lastModified is not before authoredOn",
            lambda r: before(r.get("lastModified"), r.get("authoredOn")),
            Breach.MEND,
            lambda r: _less(r, "lastModified"),
        ),
    ),
}

# Of an element anywhere, known by the keys that it has.
PERIOD = Invariant(
    "per-1",
    "a period does not end before it starts",
    lambda e: before(e.get("end"), e.get("start")),
    Breach.MEND,
    lambda e: _less(e, "end"),
)
CONTACT_POINT = Invariant(
    "cpt-2",
    "a contact point with a value has a system",
    lambda e: "value" in e and "system" not in e,
    Breach.MEND,
    lambda e: {**e, "system": "other"},
)
QUANTITY = Invariant(
    "qty-3",
    "a unit's code has its system",
    lambda e: "code" in e and "system" not in e,
    Breach.MEND,
    lambda e: {**_less(e, "code"), "unit": e.get("unit", e["code"])},
)
ATTACHMENT = Invariant("att-1", "attached bytes have a content type", lambda e: "data" in e and "contentType" not in e)
_BY_NAME: Mapping[str, Invariant] = {"period": PERIOD, "telecom": CONTACT_POINT, "attachment": ATTACHMENT}


def _of_element(name: str, element: Mapping[str, Any]) -> Invariant | None:
    found = _BY_NAME.get(name)
    if found is None and (name.endswith(("Quantity", "quantity", "Period")) or "start" in element):
        found = PERIOD if "start" in element else QUANTITY
    return found if found is not None and found.broken(element) else None


def violations(type_: str, body: Body) -> tuple[Body, tuple[Repair, ...], tuple[Reason, ...]]:
    """The body after what could be mended, what was mended or kept (each to be told), and what must be refused."""
    told: list[Repair] = []
    problems: list[Reason] = [
        *_contained(type_, body),
    ]
    body = _walk(body, type_, told, problems)
    for invariant in OF_TYPE.get(type_, ()):
        if invariant.broken(body):
            body = _judge(invariant, body, type_, told, problems)
    return body, tuple(told), tuple(problems)


def _contained(type_: str, body: Mapping[str, Any]) -> list[Reason]:
    """dom-2 and dom-4: what is contained contains nothing, and has no version of its own."""
    found: list[Reason] = []
    for index, one in enumerate(body.get("contained", ())):
        where = f"{type_}.contained[{index}]"
        if "contained" in one:
            found.append(Reason(where, "dom-2: what is contained must not contain"))
        if {"versionId", "lastUpdated"} & set(one.get("meta", {})):
            found.append(Reason(where, "dom-4: what is contained has no version"))
    return found


def _walk(element: Any, path: str, told: list[Repair], problems: list[Reason]) -> Any:
    """The element with everything below it judged; the very same object where nothing was changed."""
    changed: dict[str, Any] | None = None
    for key, value in element.items():
        kind = type(value)
        if kind is dict:
            new = _one(key, value, f"{path}.{key}", told, problems)
        elif kind is list:
            new = _many(key, value, f"{path}.{key}", told, problems)
        else:
            continue
        if new is not value:
            changed = changed if changed is not None else dict(element)
            changed[key] = new
    return element if changed is None else changed


def _one(key: str, value: Body, path: str, told: list[Repair], problems: list[Reason]) -> Any:
    value = _walk(value, path, told, problems)
    invariant = _of_element(key, value)
    return value if invariant is None else _judge(invariant, value, path, told, problems)


def _many(key: str, values: list[Any], path: str, told: list[Repair], problems: list[Reason]) -> list[Any]:
    new = [
        _one(key, value, f"{path}[{index}]", told, problems) if type(value) is dict else value
        for index, value in enumerate(values)
    ]
    return new if any(a is not b for a, b in zip(new, values, strict=True)) else values


def _judge(invariant: Invariant, element: Body, path: str, told: list[Repair], problems: list[Reason]) -> Body:
    if invariant.breach is Breach.REFUSE:
        problems.append(Reason(path, f"{invariant.id}: {invariant.says}"))
        return element
    told.append(
        Repair(
            invariant.id, path, exact_json.dumps(element).decode()[:500], f"{invariant.says} ({invariant.breach.value})"
        )
    )
    return invariant.mend(element) if invariant.breach is Breach.MEND and invariant.mend else element
