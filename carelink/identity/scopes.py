"""SMART App Launch 2.2 scopes: what each lets its bearer do with which types of resource, and which are given to whom."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from fhir.resources.R4B import get_fhir_model_class
from fhir.resources.R4B.resource import Resource

from carelink.identity import narrowing

EVERY_TYPE = "system/*.rs"
ANY = "*"
READING = frozenset("rs")
WRITING = frozenset("cud")
OF_SYSTEMS, OF_APPS = ("system",), ("patient", "user")  # the levels of whom
# What changes what others may see, or who did what, is written by whom it is named for, and never by `*`.
NAMED_ONLY = frozenset({"Consent", "AuditEvent"})
# What is read beside the lens: no app gets it in one person's context, and nobody a part of it.
BESIDE = frozenset({"AuditEvent", "Subscription", "Group"})
OPENID, FHIR_USER, OFFLINE, ONLINE = "openid", "fhirUser", "offline_access", "online_access"
LAUNCH, LAUNCH_PATIENT = "launch", "launch/patient"
OF_IDENTITY = (OPENID, FHIR_USER, LAUNCH, LAUNCH_PATIENT, OFFLINE, ONLINE)
_LETTERS = (
    "LETTERS of cruds in that order (or .read, .write, .*), of which those that read may be narrowed by ?category=..."
)
IN_WORDS: Mapping[str, str] = {
    "system": f"system/TYPE.LETTERS with a type of FHIR R4 or *, and {_LETTERS}",
    "app": f"patient/TYPE.rs and user/TYPE.rs (or .r, .s, .read) with a type of FHIR R4 or *, and {', '.join(OF_IDENTITY)}",
}
_SCOPE = re.compile(
    r"(patient|user|system)/(\*|[A-Za-z]{2,40})\.(read|write|\*|(?=[cruds])c?r?u?d?s?)(?:\?(.{1,500}))?"
)
_OF_SMART_1 = {"read": "rs", "write": "cud", "*": "cruds"}  # SMART App Launch 2.2, 3.0.3.3: what they mean in 2


@dataclass(frozen=True)
class Scope:
    """One scope for resources: on whose behalf, of which type (`*` for any), and which of create, read, update, delete, search."""

    level: str
    type: str
    letters: frozenset[str]
    path: str = ""  # what a resource must fulfil, as a JSON path; empty: nothing
    query: str = ""  # the same as it was written

    def allows(self, type_: str, letter: str) -> bool:
        """Whether it covers that interaction with that type."""
        if letter not in self.letters or self.type not in (ANY, type_):
            return False
        if type_ in BESIDE and self.level == "patient":
            return False
        return self.type == type_ or letter in READING or type_ not in NAMED_ONLY

    def within(self, other: Scope) -> bool:
        """Whether whoever holds the other holds this one too."""
        same = self.level == other.level and other.query in ("", self.query)
        return same and all(other.allows(self.type, letter) for letter in self.letters)


@lru_cache(maxsize=1024)
def parsed(text: str) -> Scope | None:
    """The scope for resources that is written so; None for whatever else it is, and for one that can't be kept to."""
    found = _SCOPE.fullmatch(text)
    if found is None or not (found[2] == ANY or _is_type(found[2])):
        return None
    letters = frozenset(_OF_SMART_1.get(found[3], found[3]))
    path = narrowing.path_of(found[2], found[4]) if found[4] else ""
    if path is None or (path and letters & WRITING):
        return None
    return Scope(found[1], found[2], letters, path, found[4] or "")


def of(scopes: Iterable[str]) -> tuple[Scope, ...]:
    """Those of them that are for resources."""
    return tuple(filter(None, map(parsed, scopes)))


def is_known(scope: str, kind: str = "system") -> bool:
    """Whether this server gives that scope to any client of that kind: a system, or an app of somebody who is signed in."""
    found = parsed(scope)
    if found is None:
        return kind == "app" and scope in OF_IDENTITY
    if kind == "system":
        return found.level in OF_SYSTEMS
    return (
        found.level in OF_APPS and found.letters <= READING and not (found.level == "patient" and found.type in BESIDE)
    )


def granted(asked: Iterable[str], registered: Iterable[str]) -> list[str]:
    """Those of the scopes asked for that a client may have, by those it is registered with, in the order asked."""
    names = tuple(registered)
    held = of(names)
    return [one for one in dict.fromkeys(asked) if one in names or _within(parsed(one), held)]


def lessened(scope: str) -> str:
    """What an app is given where it asks for writing too, as apps of SMART 1 do: the reading part; empty where there is none."""
    found = parsed(scope)
    if found is None or found.level not in OF_APPS or not found.letters & WRITING:
        return scope
    letters = "".join(one for one in "rs" if one in found.letters)
    return f"{found.level}/{found.type}.{letters}" if letters else ""


def needs_patient(scopes: Iterable[str]) -> bool:
    """Whether a token with these is of one person's context."""
    return any(one == LAUNCH_PATIENT or one.startswith("patient/") for one in scopes)


def _within(asked: Scope | None, held: tuple[Scope, ...]) -> bool:
    return asked is not None and any(asked.within(one) for one in held)


@cache
def _is_type(name: str) -> bool:
    try:
        return issubclass(get_fhir_model_class(name), Resource)
    except ValueError:  # no such type: the library's own error
        return False
