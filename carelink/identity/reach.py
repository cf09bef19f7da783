"""How far the scopes of a token reach: which types, whose, and which of them; for the lens (rule L0-scope)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

from carelink.identity import scopes
from carelink.identity.scopes import ANY, READING, Scope
from carelink.ids import PersonKey

_ALL: dict[str, str] = {}  # a grant without conditions


@dataclass(frozen=True)
class Reach:
    """As a `Requester` carries it."""

    types: frozenset[str] | None = None  # None: all
    narrowed: str = ""  # JSON: type (or *) -> grants, of which a row must fulfil one; empty: nothing more is asked
    confined: PersonKey | None = None  # the one person of whom they let something be seen; None: not confined


@lru_cache(maxsize=1024)
def reach_of(granted: frozenset[str], patient: PersonKey | None = None) -> Reach:
    """What these scopes let their bearer see. Those of a patient's context give nothing without a patient."""
    reading = [one for one in scopes.of(granted) if one.letters & READING]
    grants = [(one.type, _grant(one, patient)) for one in reading if one.level != "patient" or patient]
    names = frozenset(type_ for type_, _ in grants)
    types = None if ANY in names else names
    if (ANY, _ALL) in grants:
        return Reach()
    everywhere = [grant for type_, grant in grants if type_ == ANY]
    told = {name: [grant for type_, grant in grants if type_ == name] for name in sorted(names)}
    told = {name: _simplest(own if name == ANY else own + everywhere) for name, own in told.items()}
    if all(own == [_ALL] for own in told.values()):
        return Reach(types)
    confined = patient if grants and all("patient" in grant for _, grant in grants) else None
    return Reach(types, json.dumps(told, sort_keys=True), confined)


def _grant(scope: Scope, patient: PersonKey | None) -> dict[str, str]:
    whose = {"patient": str(patient)} if scope.level == "patient" else {}
    return whose | ({"path": scope.path} if scope.path else {})


def _simplest(grants: list[dict[str, str]]) -> list[dict[str, str]]:
    return [_ALL] if _ALL in grants else grants
