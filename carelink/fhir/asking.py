"""From an HTTP request to a question: the token, the lens it gives, and the search parameters, all checked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from carelink.consent.lens import Lens
from carelink.errors import Invalid
from carelink.fhir.capability import RESOURCES
from carelink.fhir.forms import NAMES
from carelink.identity.tokens import Granted, ScopeTooSmall, TokenRefused, Tokens
from carelink.place import Place
from carelink.record.query import Criterion

COUNT = 50  # resources a page, where the client doesn't say
MOST = 500
MOST_VALUES = 20  # of all criteria together: nobody tries out a list of numbers in one request
LONGEST = 2000  # characters of one parameter; what was asked is given back in links
SHARED = ("_count", "_sort", *NAMES)  # parameters that shape the answer

Given = Sequence[tuple[str, str]]


def granted(authorization: str, tokens: Tokens, now: datetime) -> Granted:
    """What the bearer of this token was granted. Raises `TokenRefused` without a good one."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenRefused("Send an access token: Authorization: Bearer TOKEN", missing=True)
    return tokens.read(token.strip(), now)


def lens_of(asks: Granted, type_: str, place: Place, now: datetime, letters: str = "rs") -> Lens:
    """What they may see, of all types that their scopes name. Raises `ScopeTooSmall` where that type is not among them."""
    if not asks.may_read(type_, letters):
        level = "user" if asks.requester.client else "system"
        raise ScopeTooSmall(f"The access token has no scope for reading {type_}", needed=f"{level}/{type_}.rs")
    return Lens.compile(place, asks.requester, now)


def criteria_of(type_: str, given: Given) -> tuple[Criterion, ...]:
    """What is searched by. Raises `Invalid` for a parameter that metadata does not name, for none, and for too many."""
    _check_size(given)
    criteria = tuple(_criterion(type_, name, value) for name, value in given if name not in SHARED)
    if not criteria:
        raise Invalid(type_, f"say which: give one of {_known(type_)}")
    if sum(len(one.values) for one in criteria) > MOST_VALUES:
        raise Invalid(criteria[0].parameter, f"has too many values; at most {MOST_VALUES} are searched for at once")
    return criteria


def _check_size(given: Given) -> None:
    for number, (name, value) in enumerate(given):
        if number >= MOST_VALUES + len(SHARED):
            raise Invalid(name, "is one parameter too many")
        if len(name) + len(value) > LONGEST:
            raise Invalid(name[:100], f"is longer than {LONGEST} characters")


def no_parameters(given: Given) -> None:
    """Raises `Invalid` for a parameter that would narrow an answer and is not known: silence would mislead."""
    for name, _ in given:
        if name not in NAMES:
            raise Invalid(name, "is not supported here: all that may be seen is given, in one Bundle")


def _criterion(type_: str, name: str, value: str) -> Criterion:
    name, colon, modifier = name.partition(":")
    if name not in {parameter for parameter, _, _ in RESOURCES[type_]["parameters"]}:
        raise Invalid(name, f"not a search parameter of {type_} here; known are {_known(type_)}")
    if "\0" in value:
        raise Invalid(name, "has a character in it that no value has")
    if colon and not modifier:
        raise Invalid(name, "names no modifier after its colon")
    return Criterion(name, tuple(part for part in value.split(",") if part), modifier)


def _known(type_: str) -> str:
    return ", ".join(sorted(name for name, _, _ in RESOURCES[type_]["parameters"]))


def count_of(given: Given) -> int:
    """How many a page, as asked. Raises `Invalid`."""
    text = dict(given).get("_count", str(COUNT))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST):
        raise Invalid("_count", f"must be a whole number from 1 to {MOST}")
    return int(text)
