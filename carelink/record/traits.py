"""What of a source's Patient is compared with others: one Traits a Patient (table person_trait)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nhs_number.validate import is_valid

from carelink.ids import NHS_NUMBER
from carelink.record import traits_fold as fold
from carelink.record.traits_sounds import sounds

Json = Mapping[str, Any]

VERIFICATION = "Extension-UKCore-NHSNumberVerificationStatus"  # under two hosts, with and without a GPC infix
VERIFIED = frozenset({"01", "number-present-and-verified"})
_BIRTH_DATE = re.compile(r"^\d{4}(-\d\d(-\d\d)?)?$")

# Which of several names (HumanName.use), addresses and telephones is the one; the rest in the order given.
_NAME_USES = ("official", "usual", "", "temp", "anonymous")
_OTHER_NAMES = ("nickname", "maiden", "old")
_ADDRESS_USES = ("home", "", "billing", "temp")


@dataclass(frozen=True, slots=True)
class Traits:
    """The columns of person_trait; an empty one is not known. Other names follow the current one after `|`."""

    nhs_number: str = ""
    nhs_verified: bool = False
    nhs_former: tuple[str, ...] = ()
    family: str = ""
    given: str = ""
    birth_date: str = ""
    gender: str = ""
    postcode: str = ""
    address: str = ""
    telephone: str = ""
    sounds: str = ""


def traits(patient: Json, verified: bool = False) -> Traits:
    """The traits of an R4 Patient; `verified` where its source answers by NHS number (PDS, GP Connect)."""
    number, proven, former = _nhs_numbers(patient.get("identifier", ()))
    family, given = _names(patient.get("name", ()))
    home = _home(patient.get("address", ()))
    return Traits(
        nhs_number=number,
        nhs_verified=bool(number) and (proven or verified),
        nhs_former=former,
        family=family,
        given=given,
        birth_date=_birth_date(str(patient.get("birthDate", ""))),
        gender=_gender(str(patient.get("gender", ""))),
        postcode=fold.postcode(str(home.get("postalCode", ""))),
        address=fold.address(*_street(home)),
        telephone=_telephone(patient.get("telecom", ())),
        sounds=sounds(family.split("|")[0]),
    )


def _nhs_numbers(identifiers: Sequence[Json]) -> tuple[str, bool, tuple[str, ...]]:
    """The current number, whether it is verified, and superseded ones."""
    found = [
        (value, is_verified(entry), _ended(entry))
        for entry in identifiers
        if entry.get("system") == NHS_NUMBER and (value := _nhs_number(entry))
    ]
    current = sorted((not proven, place) for place, (_, proven, ended) in enumerate(found) if not ended)
    if not current:
        return "", False, tuple(sorted({value for value, _, _ in found}))
    number, proven, _ = found[current[0][1]]
    return number, proven, tuple(sorted({value for value, _, ended in found if ended and value != number}))


def _nhs_number(entry: Json) -> str:
    digits = re.sub(r"[\s-]", "", str(entry.get("value", "")))
    return digits if is_valid(digits) else ""


def is_verified(identifier: Json) -> bool:
    """True where the NHS number's verification status is 'number present and verified'."""
    return any(
        coding.get("code") in VERIFIED
        for extension in identifier.get("extension", ())
        if _is_verification(str(extension.get("url", "")))
        for coding in extension.get("valueCodeableConcept", {}).get("coding", ())
    )


def _is_verification(url: str) -> bool:
    return "NHSNumberVerificationStatus" in url


def _ended(entry: Json) -> bool:
    return entry.get("use") == "old" or bool(entry.get("period", {}).get("end"))


def _names(names: Sequence[Json]) -> tuple[str, str]:
    current = _by_use(names, _NAME_USES)
    others = [entry for use in _OTHER_NAMES for entry in names if entry.get("use") == use]
    chosen = [*current[:1], *others, *current[1:]] if current else others
    families = _each(fold.name(str(entry.get("family", ""))) for entry in chosen)
    givens = _each(fold.name(" ".join(map(str, entry.get("given", ())))) for entry in chosen)
    return families, givens


def _by_use(entries: Sequence[Json], uses: Sequence[str]) -> list[Json]:
    """Those with one of these uses, current before ended ones, in the order of the uses."""
    ranked = [
        (bool(entry.get("period", {}).get("end")), uses.index(str(entry.get("use", ""))), place)
        for place, entry in enumerate(entries)
        if entry.get("use", "") in uses
    ]
    return [entries[place] for _, _, place in sorted(ranked)]


def _each(values: Iterable[str]) -> str:
    return "|".join(dict.fromkeys(value for value in values if value))


def _birth_date(written: str) -> str:
    return written if _BIRTH_DATE.match(written) and written not in fold.NO_BIRTH_DATES else ""


def _gender(written: str) -> str:
    return written if written in ("male", "female") else ""


def _home(addresses: Sequence[Json]) -> Json:
    return next(iter(_by_use(addresses, _ADDRESS_USES)), {})


def _street(home: Json) -> list[str]:
    """The first two lines: the town says nothing that the postcode does not."""
    lines = [str(line) for line in home.get("line", ()) if line]
    return lines[:2] or [str(home.get("text", "")).split(",")[0]]


def _telephone(telecom: Sequence[Json]) -> str:
    """A mobile number first: it is one person's more often than a landline."""
    numbers = [
        number
        for entry in telecom
        if entry.get("system") in ("phone", "sms") and entry.get("use") not in ("old", "work")
        if (number := fold.telephone(str(entry.get("value", ""))))
    ]
    return min(numbers, key=lambda number: (not number.startswith("07"), numbers.index(number)), default="")
