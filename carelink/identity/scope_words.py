"""What an app asks for, in the words of the page on which a worker says yes or no. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from carelink.identity import families, scopes
from carelink.identity.scopes import ANY, Scope

WHOSE: Mapping[str, str] = {
    "patient": "of the one person whom you choose",
    "user": "of everybody whose record you may open",
}
OTHERS: Mapping[str, str] = {
    scopes.OPENID: "Know who you are",
    scopes.FHIR_USER: "Know who you are",
    scopes.LAUNCH: "Know whose record is open",
    scopes.LAUNCH_PATIENT: "Know whose record is open",
    scopes.ONLINE: f"Go on for up to {families.ONLINE_LIFE.total_seconds() / 3600:.0f} hours without asking you again",
    scopes.OFFLINE: f"Go on for up to {families.OFFLINE_LIFE.days} days without asking you again, also when you are not there",
}


def in_words(granted: Iterable[str]) -> tuple[str, ...]:
    """What each scope lets the app do, each said once, in the order asked."""
    said = (_of_records(found) if (found := scopes.parsed(one)) else OTHERS.get(one, "") for one in granted)
    return tuple(dict.fromkeys(filter(None, said)))


def _of_records(scope: Scope) -> str:
    what = "everything that you may see" if scope.type == ANY else _plural(scope.type)
    part = f", where {scope.query.replace('&', ' and ')}" if scope.query else ""
    return f"Read {what} {WHOSE[scope.level]}{part}"


def _plural(type_: str) -> str:
    """`MedicationRequest` as `medication requests`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type_).lower()
    if words.endswith("y"):
        return words[:-1] + "ies"
    return words if words.endswith("s") else words + "s"
