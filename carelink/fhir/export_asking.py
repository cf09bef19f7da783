"""The kick-off of a bulk export as values: what is asked for, checked (HL7 Bulk Data Access 2.0, 3.1.1). Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID

from carelink.cases.exporting import Asked
from carelink.errors import Invalid
from carelink.fhir.asking import Given
from carelink.identity.tokens import ScopeTooSmall

NDJSON = "application/fhir+ndjson"
FORMATS = frozenset({NDJSON, "application/ndjson", "ndjson"})
MOST_PATIENTS = 1000
NO_OTHER = "is not known here; known are _type, _since, _outputFormat and, with POST of Patient/$export, patient"
# What the specification names and is not done here: all of a resource is given, or nothing.
NOT_DONE: Mapping[str, str] = {
    "_elements": "is not done here: resources are given whole",
    "_typeFilter": "is not done here: narrow an export by _type, _since and patient",
    "includeAssociatedData": "is not done here",
}


@dataclass(frozen=True)
class Prefer:
    """What the header says (RFC 7240)."""

    is_async: bool
    is_lenient: bool

    @classmethod
    def read(cls, header: str) -> Prefer:
        said = {part.strip().replace(" ", "").lower() for part in header.replace(";", ",").split(",")}
        return cls("respond-async" in said, "handling=lenient" in said)


@dataclass(frozen=True)
class Offered:
    """What may be asked for where, and by whom."""

    level: str  # system, patient
    address: str
    known: Sequence[str]  # types that are exported here
    held: frozenset[str] | None  # types that the token's scopes name; None: all
    scopes: str  # of the token

    def may(self, type_: str) -> bool:
        return self.held is None or type_ in self.held


@dataclass
class _Reading:
    """What was understood so far."""

    offered: Offered
    lenient: bool
    ignored: list[Mapping[str, str]]

    def leave_out(self, wrong: Invalid | ScopeTooSmall, place: str, why: str) -> None:
        """Under `handling=lenient` it is said in the manifest; otherwise the request is refused."""
        if not self.lenient:
            raise wrong
        self.ignored.append({"place": place, "why": why})


def asked_of(offered: Offered, given: Given, prefer: Prefer, posted: bool) -> Asked:
    """The export that is asked for.

    Raises `Invalid` for what is not known or not done, and `ScopeTooSmall` for types that the token has no scope for.
    """
    if not prefer.is_async:
        raise Invalid("Prefer", "must say respond-async: an export takes a while")
    reading = _Reading(offered, prefer.is_lenient, [])
    values = dict(_understood(reading, given, posted and offered.level == "patient"))
    types = _types(reading, values.get("_type"))
    patients = values.get("patient")
    if patients is not None and not offered.may("Patient"):
        raise ScopeTooSmall("The access token has no scope for reading Patient", needed="system/Patient.rs")
    since = values.get("_since")
    return Asked(
        level=offered.level,
        scopes=offered.scopes,
        types=types,
        address=_address(offered.address, values),
        since=_instant(since[0]) if since else None,
        patients=None if patients is None else tuple(map(_patient, patients)),
        ignored=tuple(reading.ignored),
    )


def _understood(reading: _Reading, given: Given, patients: bool) -> Iterator[tuple[str, list[str]]]:
    """Each known parameter with its values."""
    found: dict[str, list[str]] = {}
    for name, value in given:
        if name not in ("_type", "_since", "_outputFormat", "_format") and not (name == "patient" and patients):
            why = NOT_DONE.get(name, NO_OTHER)
            reading.leave_out(Invalid(name[:100], why), name[:100], why)
            continue
        found.setdefault(name, []).append(value)
    for name, check in _ONCE.items():
        if len(found.get(name, ())) > 1:
            raise Invalid(name, "is given more than once")
        for value in found.get(name, ()):
            check(value)
    if len(found.get("patient", ())) > MOST_PATIENTS:
        raise Invalid("patient", f"names more than {MOST_PATIENTS} Patients")
    yield from found.items()


def _types(reading: _Reading, asked: list[str] | None) -> tuple[str, ...]:
    """Those that are asked for and may be; all of them where nothing is said."""
    if asked is None:
        chosen = [one for one in reading.offered.known if reading.offered.may(one)]
    else:
        named = dict.fromkeys(one for value in asked for one in value.split(","))
        chosen = [one for one in named if _is_given(reading, one)]
    if not chosen:
        raise ScopeTooSmall("The access token has no scope for any type that is exported", needed="system/*.rs")
    return tuple(sorted(chosen))


def _is_given(reading: _Reading, type_: str) -> bool:
    if type_ not in reading.offered.known:
        why = "names a type that is not exported here; those that are stand in metadata"
        reading.leave_out(Invalid("_type", why), "_type", why)
        return False
    if not reading.offered.may(type_):
        why = f"The access token has no scope for reading {type_}"
        reading.leave_out(ScopeTooSmall(why, needed=f"system/{type_}.rs"), "_type", why)
        return False
    return True


def _instant(text: str) -> datetime:
    try:
        read = datetime.fromisoformat(text.replace(" ", "+"))  # a plus sign that was not escaped comes as a space
        if read.tzinfo is None:
            raise ValueError("no offset")
        return read.astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise Invalid("_since", "must be an instant, as 2026-11-24T12:00:00Z") from wrong


def _format(text: str) -> None:
    if text.replace(" ", "+") not in FORMATS:
        raise Invalid("_outputFormat", f"must be {NDJSON}: nothing else is made")


_ONCE: Mapping[str, Callable[[str], object]] = {"_since": _instant, "_outputFormat": _format, "_format": str}


def _patient(text: str) -> UUID:
    try:
        return UUID(text.removeprefix("Patient/"))
    except ValueError as wrong:
        raise Invalid("patient", "must be a reference to a Patient here, as Patient/ID") from wrong


def _address(address: str, values: Mapping[str, list[str]]) -> str:
    """What was asked, for the manifest: without what was not understood, and without whom it was about."""
    told = [(name, value) for name, found in values.items() if name != "patient" for value in found]
    return f"{address}?{urlencode(told)}" if told else address
