"""SMART App Launch 2.2 scopes: what each lets its bearer do with which types of resource, and which are given to whom."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from fhir.resources.R4B import get_fhir_model_class
from fhir.resources.R4B.resource import Resource

EVERY_TYPE = "system/*.rs"
ANY = "*"
READING = frozenset("rs")
WRITING = frozenset("cud")
# What changes what others may see, or who did what, is written by whom it is named for, and never by `*`.
NAMED_ONLY = frozenset({"Consent", "AuditEvent"})
IN_WORDS = "system/TYPE.LETTERS with a type of FHIR R4 or *, and letters of cruds in that order (or .read, .write, .*)"
_SCOPE = re.compile(r"(patient|user|system)/(\*|[A-Za-z]{2,40})\.(read|write|\*|(?=[cruds])c?r?u?d?s?)")
_OF_SMART_1 = {"read": "rs", "write": "cud", "*": "cruds"}  # SMART App Launch 2.2, 3.0.3.3: what they mean in 2


@dataclass(frozen=True)
class Scope:
    """One scope for resources: on whose behalf, of which type (`*` for any), and which of create, read, update, delete, search."""

    level: str
    type: str
    letters: frozenset[str]

    def allows(self, type_: str, letter: str) -> bool:
        """Whether it covers that interaction with that type."""
        if letter not in self.letters or self.type not in (ANY, type_):
            return False
        return self.type == type_ or letter in READING or type_ not in NAMED_ONLY

    def within(self, other: Scope) -> bool:
        """Whether whoever holds the other holds this one too."""
        return self.level == other.level and all(other.allows(self.type, letter) for letter in self.letters)


@lru_cache(maxsize=1024)
def parsed(text: str) -> Scope | None:
    """The scope for resources that is written so; None for whatever else it is."""
    found = _SCOPE.fullmatch(text)
    if found is None or not (found[2] == ANY or _is_type(found[2])):
        return None
    return Scope(found[1], found[2], frozenset(_OF_SMART_1.get(found[3], found[3])))


def of(scopes: Iterable[str]) -> tuple[Scope, ...]:
    """Those of them that are for resources."""
    return tuple(filter(None, map(parsed, scopes)))


def is_known(scope: str) -> bool:
    """Whether this server gives that scope to any system. One that narrows a type (`?category=`) it gives to none."""
    found = parsed(scope)
    return found is not None and found.level == "system"


def types_read(scopes: Iterable[str]) -> frozenset[str] | None:
    """The types that these scopes together let a system read or search; None for all (rule L0-scope)."""
    named = frozenset(one.type for one in of(scopes) if one.level == "system" and one.letters & READING)
    return None if ANY in named else named


def granted(asked: Iterable[str], registered: Iterable[str]) -> list[str]:
    """Those of the scopes asked for that a client may have, by those it is registered with, in the order asked."""
    names = tuple(registered)
    held = of(names)
    return [one for one in dict.fromkeys(asked) if one in names or _within(parsed(one), held)]


def _within(asked: Scope | None, held: tuple[Scope, ...]) -> bool:
    return asked is not None and any(asked.within(one) for one in held)


@cache
def _is_type(name: str) -> bool:
    try:
        return issubclass(get_fhir_model_class(name), Resource)
    except ValueError:  # no such type: the library's own error
        return False
