"""The R4 invariants that the models do not check, as a table: id, what it says, and what a breach comes to.

HL7 FHIR R4 4.0.1, the constraints of severity `error` of the types that we store. Three ways: refused where nobody could
tell what is true; kept, and told on the Provenance, where refusing would withhold something clinical; mended where the
rule says what is safe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from carelink.record.partial_dates import before

Body = dict[str, Any]
Element = Mapping[str, Any]


class Breach(Enum):
    """What becomes of a resource that breaks an invariant."""

    REFUSE = "to quarantine"
    KEEP = "kept as it was sent"
    MEND = "mended"


@dataclass(frozen=True)
class Invariant:
    """An invariant of R4 by its id. `broken` tells whether the element breaks it; `mend` gives the element put right."""

    id: str
    says: str
    broken: Callable[[Element], bool]
    breach: Breach = Breach.REFUSE
    mend: Callable[[Element], Body] | None = None
    because: str = ""  # why it is kept or mended that way


def _less(element: Element, *names: str) -> Body:
    return {key: value for key, value in element.items() if key.removeprefix("_") not in names}


def _code(concept: Any) -> str:
    codings = (concept or {}).get("coding") or [{}]
    return str(codings[0].get("code", ""))


def _value(element: Element) -> bool:
    return any(key.startswith(("value", "_value")) for key in element)


def _withheld(element: Element) -> bool:
    """Whether extensions tell why it is empty."""
    return "extension" in element


def _lacks(one: str, other: str) -> Callable[[Element], bool]:
    return lambda e: one in e and other not in e


def _negative(name: str) -> Callable[[Element], bool]:
    return lambda e: isinstance(e.get(name), Decimal | int) and e[name] < 0


def _wrong_status(resource: Element) -> bool:
    return "clinicalStatus" in resource and _code(resource.get("verificationStatus")) == "entered-in-error"


MEDICINE = "A dose whose timing is oddly written is still a dose that must be seen"
SHOWN = "It is true as far as it goes, and leaving it out would hide it"
NO_STATUS = "What was entered in error is neither active nor resolved"

_TIMES = (
    Invariant("tim-1", "a duration has its unit", _lacks("duration", "durationUnit"), Breach.KEEP, because=MEDICINE),
    Invariant("tim-2", "a period has its unit", _lacks("period", "periodUnit"), Breach.KEEP, because=MEDICINE),
    Invariant("tim-4", "a duration is not negative", _negative("duration")),
    Invariant("tim-5", "a period is not negative", _negative("period")),
    Invariant("tim-6", "periodMax needs a period", _lacks("periodMax", "period"), Breach.KEEP, because=MEDICINE),
    Invariant(
        "tim-7", "durationMax needs a duration", _lacks("durationMax", "duration"), Breach.KEEP, because=MEDICINE
    ),
    Invariant("tim-8", "countMax needs a count", _lacks("countMax", "count"), Breach.KEEP, because=MEDICINE),
    Invariant(
        "tim-9",
        "an offset needs an event that is not a meal",
        lambda e: "offset" in e and not set(e.get("when", ())) - {"C", "CM", "CD", "CV"},
        Breach.KEEP,
        because=MEDICINE,
    ),
    Invariant(
        "tim-10",
        "a time of day or an event, not both",
        lambda e: "timeOfDay" in e and "when" in e,
        Breach.KEEP,
        because=MEDICINE,
    ),
)
_QUANTITY = (
    Invariant(
        "qty-3",
        "the code of a unit has its system",
        _lacks("code", "system"),
        Breach.MEND,
        lambda e: {**_less(e, "code"), "unit": e.get("unit", e["code"])},
        "A code without a system means nothing; as the unit's text it is still read",
    ),
)

# datatype, backbone element or resource type -> what holds for it
OF_DATATYPE: Mapping[str, tuple[Invariant, ...]] = {
    # Datatypes
    "Age": _QUANTITY,
    "Attachment": (Invariant("att-1", "attached bytes have a content type", _lacks("data", "contentType")),),
    "ContactPoint": (
        Invariant(
            "cpt-2",
            "a contact point with a value has a system",
            _lacks("value", "system"),
            Breach.MEND,
            lambda e: {**e, "system": "other"},
            "A number or address of unknown kind: `other` says just that",
        ),
    ),
    "Duration": _QUANTITY,
    "Extension": (
        Invariant(
            "ext-1",
            "an extension has a value or extensions, not both",
            lambda e: _value(e) == ("extension" in e),
            Breach.KEEP,
            because="An extension adds to what is there; an odd one does no harm to it",
        ),
    ),
    "Period": (
        Invariant(
            "per-1",
            "a period does not end before it starts",
            lambda e: before(e.get("end"), e.get("start")),
            Breach.KEEP,
            because="Which of the two is wrong is not known; without its end it would be shown as still going on",
        ),
    ),
    "Quantity": _QUANTITY,
    "Range": (
        Invariant(
            "rng-2",
            "the low of a range is not above its high",
            lambda e: _above(e.get("low"), e.get("high")),
            Breach.KEEP,
            because=SHOWN,
        ),
    ),
    "Ratio": (
        Invariant(
            "rat-1",
            "numerator and denominator come together",
            lambda e: ("numerator" in e) != ("denominator" in e) or not (e.keys() & {"numerator"} or _withheld(e)),
            Breach.KEEP,
            because=SHOWN,
        ),
    ),
    "TimingRepeat": _TIMES,
    # Any resource, and what is contained in one
    "Resource": (
        Invariant("ref-1", "a local reference finds what it points at", bool, Breach.KEEP, because=SHOWN),
        Invariant("dom-3", "what is contained is pointed at", bool, Breach.KEEP, because=SHOWN),
    ),
    "contained": (
        Invariant("dom-2", "what is contained contains nothing", lambda r: "contained" in r),
        Invariant(
            "dom-4",
            "what is contained has no version of its own",
            lambda r: bool({"versionId", "lastUpdated"} & set(r.get("meta", {}))),
            Breach.MEND,
            lambda r: {**r, "meta": _less(r["meta"], "versionId", "lastUpdated")},
            "It changes with the resource that it is in",
        ),
        Invariant(
            "dom-5", "what is contained has no security label of its own", lambda r: "security" in r.get("meta", {})
        ),
    ),
    # Resources
    "AllergyIntolerance": (
        Invariant(
            "ait-1",
            "clinicalStatus is there unless it was entered in error",
            lambda r: "clinicalStatus" not in r and _code(r.get("verificationStatus")) != "entered-in-error",
            Breach.KEEP,
            because="An allergy of unknown status is shown as one, never hidden and never guessed",
        ),
        Invariant(
            "ait-2",
            "clinicalStatus is not there when it was entered in error",
            _wrong_status,
            Breach.MEND,
            lambda r: _less(r, "clinicalStatus"),
            NO_STATUS,
        ),
    ),
    "Appointment": (
        Invariant(
            "app-2", "start and end come together", lambda r: ("start" in r) != ("end" in r), Breach.KEEP, because=SHOWN
        ),
        Invariant(
            "app-3",
            "only a proposed, cancelled or waitlisted appointment may lack its times",
            lambda r: "start" not in r and r.get("status") not in ("proposed", "cancelled", "waitlist"),
            Breach.KEEP,
            because=SHOWN,
        ),
        Invariant(
            "app-4",
            "only a cancelled appointment or one not kept has a reason of cancellation",
            lambda r: "cancelationReason" in r and r.get("status") not in ("cancelled", "noshow"),
        ),
    ),
    "AppointmentParticipant": (
        Invariant(
            "app-1",
            "a participant has a type or an actor",
            lambda e: not e.keys() & {"type", "actor"},
            Breach.KEEP,
            because=SHOWN,
        ),
    ),
    "CarePlanActivity": (
        Invariant(
            "cpl-3", "an activity has a reference or a detail, not both", lambda e: "detail" in e and "reference" in e
        ),
    ),
    "CompositionSection": (
        Invariant(
            "cmp-1",
            "a section has text, entries or sections",
            lambda e: not e.keys() & {"text", "entry", "section"},
            Breach.KEEP,
            because=SHOWN,
        ),
        Invariant(
            "cmp-2", "emptyReason only where there are no entries", lambda e: "emptyReason" in e and "entry" in e
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
            because="Which of the two is wrong is not known; a problem is rather shown than hidden",
        ),
        Invariant(
            "con-5",
            "clinicalStatus is not there when it was entered in error",
            _wrong_status,
            Breach.MEND,
            lambda r: _less(r, "clinicalStatus"),
            NO_STATUS,
        ),
    ),
    "Consent": (
        Invariant(
            "ppc-1",
            "a policy or a policyRule",
            lambda r: "policy" not in r and "policyRule" not in r,
            Breach.KEEP,
            because="An objection holds whether or not the source names a policy",
        ),
    ),
    "GoalTarget": (
        Invariant(
            "gol-1",
            "a target's detail has its measure",
            lambda e: any(k.startswith("detail") for k in e) and "measure" not in e,
            Breach.KEEP,
            because=SHOWN,
        ),
    ),
    "List": (
        Invariant(
            "lst-2",
            "a list of changes alone marks entries deleted",
            lambda r: r.get("mode") != "changes" and any("deleted" in one for one in r.get("entry", ())),
        ),
        Invariant(
            "lst-1", "emptyReason only where there are no entries", lambda r: "emptyReason" in r and "entry" in r
        ),
        Invariant(
            "lst-3",
            "entries are dated only in a working list",
            lambda r: r.get("mode") != "working" and any("date" in one for one in r.get("entry", ())),
            Breach.KEEP,
            because=SHOWN,
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
            lambda r: not r.keys() & {"name", "identifier"},
            Breach.KEEP,
            because=SHOWN,
        ),
    ),
    "PatientContact": (
        Invariant(
            "pat-1",
            "a contact has a name, a telephone, an address or an organisation",
            lambda e: not e.keys() & {"name", "telecom", "address", "organization"},
            Breach.KEEP,
            because=SHOWN,
        ),
    ),
    "QuestionnaireResponseItem": (
        Invariant("qrs-1", "an item has answers or items, not both", lambda e: "answer" in e and "item" in e),
    ),
    "ServiceRequest": (
        Invariant("prr-1", "orderDetail only with a code", _lacks("orderDetail", "code"), Breach.KEEP, because=SHOWN),
    ),
    "Task": (
        Invariant(
            "inv-1",
            "lastModified is not before authoredOn",
            lambda r: before(r.get("lastModified"), r.get("authoredOn")),
            Breach.MEND,
            lambda r: _less(r, "lastModified"),
            "When it was asked for decides deadlines; when it was last touched does not",
        ),
    ),
}


def _above(low: Any, high: Any) -> bool:
    """Whether both have values in one unit and the first is greater."""
    if not isinstance(low, Mapping) or not isinstance(high, Mapping):
        return False
    least, most = low.get("value"), high.get("value")
    if not isinstance(least, Decimal | int) or not isinstance(most, Decimal | int):
        return False
    same = all(low.get(name) == high.get(name) for name in ("unit", "system", "code"))
    return same and least > most
