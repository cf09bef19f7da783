"""SMART App Launch 2.2 scopes of systems: which types of resource each lets its bearer read, and what it lets them write."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from fhir.resources.R4B import get_fhir_model_class
from fhir.resources.R4B.resource import Resource

EVERY_TYPE = "system/*.rs"
ANY = "*"
# Those that write are given to whom they are named for, never by `*`.
WRITING = ("system/Consent.c", "system/Consent.u", "system/Consent.cu")
IN_WORDS = f"system/TYPE.rs (or .read) with a type of FHIR R4 or *, and {', '.join(WRITING)}"
_READING = re.compile(r"system/(\*|[A-Za-z]{2,40})\.(?:rs|read)")  # SMART 1 wrote `read` for what 2.2 writes as `rs`


def read_by(scope: str) -> str:
    """The type of resource that this scope lets a client read and search: `*` for any, empty for none."""
    found = _READING.fullmatch(scope)
    return found[1] if found and (found[1] == ANY or _is_type(found[1])) else ""


def is_known(scope: str) -> bool:
    """Whether this server gives that scope to anybody. One that narrows a type (`?category=`) it gives to nobody."""
    return scope in WRITING or bool(read_by(scope))


def types_read(scopes: Iterable[str]) -> frozenset[str] | None:
    """The types that these scopes together let a client read; None for all (rule L0-scope)."""
    named = frozenset(filter(None, map(read_by, scopes)))
    return None if ANY in named else named


def granted(asked: Iterable[str], registered: Iterable[str]) -> list[str]:
    """Those of the scopes asked for that a client may have, by those it is registered with, in the order asked."""
    held = tuple(registered)
    types = types_read(held)
    return [one for one in dict.fromkeys(asked) if one in held or _within(read_by(one), types)]


def _within(type_: str, types: frozenset[str] | None) -> bool:
    return bool(type_) and (types is None or type_ in types)


@cache
def _is_type(name: str) -> bool:
    try:
        return issubclass(get_fhir_model_class(name), Resource)
    except ValueError:  # no such type: the library's own error
        return False
