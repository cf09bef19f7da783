"""Who a person is, as the banner at the top of their page says it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from carelink.ids import NHS_NUMBER, Ods, PersonKey
from carelink.place import Place
from carelink.record.golden_store import MADE_HERE
from carelink.record.query import Row
from carelink.record.timeline_values import Names, human_name
from fhir_adapters import exact_json

UNKNOWN = "Name not known"


@dataclass(frozen=True)
class Banner:
    """`deceased` is a FHIR date, `yes` where the date is not known, empty for the living."""

    person: PersonKey
    name: str
    order: tuple[str, ...]  # by which lists of people are sorted: family name, then given names
    born: str
    nhs_number: str
    gender: str
    address: str
    restricted: bool
    deceased: str
    telephone: str
    practice: str


def banner(person: PersonKey, patients: Sequence[Row], place: Place) -> Banner | None:
    """From the golden Patient, or, where an objection hides it, from what the requester's own organisation knows."""
    if not patients:
        return None
    chosen = min(patients, key=lambda row: (row.source != MADE_HERE, str(row.key)))
    body: Mapping[str, Any] = exact_json.loads(chosen.body)
    return Banner(
        person=person,
        name=human_name(body.get("name")) or UNKNOWN,
        order=order(body),
        born=str(body.get("birthDate", "")),
        nhs_number=nhs_number(body),
        gender=str(body.get("gender", "")),
        address=address(body.get("address", ())),
        restricted=restricted(body),
        deceased=deceased(body),
        telephone=telephone(body),
        practice=practice(body, place),
    )


def order(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The names in use as they are compared; a name that is one text by its last word."""
    names = [one for one in body.get("name", ()) if one.get("use") != "old"] or [{}]
    one = min(names, key=lambda name: name.get("use") != "official")
    family = str(one.get("family", "")) or " ".join(str(one.get("text", "")).split()[-1:])
    return (family.casefold(), *(str(given).casefold() for given in one.get("given", ())))


def nhs_number(body: Mapping[str, Any]) -> str:
    """The current NHS number; empty where there is none."""
    return next(
        (
            str(one.get("value", ""))
            for one in body.get("identifier", ())
            if one.get("system") == NHS_NUMBER and one.get("use") != "old"
        ),
        "",
    )


def restricted(body: Mapping[str, Any]) -> bool:
    """PDS 'S': confidentiality R (or V) on the Patient."""
    return any(one.get("code") in ("R", "V") for one in body.get("meta", {}).get("security", ()))


def deceased(body: Mapping[str, Any]) -> str:
    """When the person died, as far as it is known."""
    if when := body.get("deceasedDateTime"):
        return str(when)[:10]
    return "yes" if body.get("deceasedBoolean") is True else ""


def practice(body: Mapping[str, Any], place: Place) -> str:
    """The registered practice by the place's name for it, else as the source calls it."""
    for one in body.get("generalPractitioner", ()):
        known = place.organisations.get(Ods(str(one.get("identifier", {}).get("value", ""))))
        if name := known.name if known else Names().of(one):
            return name
    return ""


def address(addresses: Sequence[Mapping[str, Any]]) -> str:
    """The home address in one line."""
    current = [one for one in addresses if one.get("use") != "old" and not one.get("period", {}).get("end")]
    for one in sorted(current, key=lambda one: one.get("use") != "home"):
        parts = [*one.get("line", ()), one.get("city"), one.get("postalCode")]
        if line := ", ".join(str(part) for part in parts if part):
            return line
        if text := one.get("text"):
            return str(text).replace("\n", ", ")
    return ""


def telephone(body: Mapping[str, Any]) -> str:
    """The first telephone number that is in use."""
    return next(
        (
            str(one.get("value", ""))
            for one in body.get("telecom", ())
            if one.get("system") in ("phone", "sms") and one.get("use") != "old"
        ),
        "",
    )
