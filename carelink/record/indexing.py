"""From a resource's body to the values that searches look up: by the table of parameters, without a FHIRPath engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from carelink.record.index_rows import ADD, FAR_FUTURE, FAR_PAST, LONGEST, Indexed, fold, folded, sortable, tokens
from carelink.record.parameters import CLINICAL, PARAMETERS, PLACED, Parameter, Path, of_type
from carelink.record.partial_dates import span

__all__ = ["FAR_FUTURE", "FAR_PAST", "LONGEST", "Indexed", "fold", "folded", "sortable", "tokens"]


class _Step(NamedTuple):
    """What is done with one element of a type."""

    number: int
    add: Callable[[Indexed, int, Any, int | None], None]
    rest: Path  # within the element
    placed: bool
    only: str  # references to this type


_Plan = Mapping[str, tuple[_Step, ...]]  # by the name of the element
_EXISTS = "exists()"


def _plan() -> Mapping[str, _Plan]:
    plan: dict[str, dict[str, list[_Step]]] = {}
    for parameter in PARAMETERS:
        for type_, paths in parameter.paths.items():
            steps = plan.setdefault(type_, {})
            for first, *rest in paths:
                if rest != [_EXISTS]:
                    name, _, only = first.partition(":")
                    steps.setdefault(name, []).append(_step(parameter, type_, name, rest, only))
    return {type_: {name: tuple(of) for name, of in steps.items()} for type_, steps in plan.items()}


def _step(parameter: Parameter, type_: str, first: str, rest: list[str], only: str) -> _Step:
    if rest:
        last, _, only = rest[-1].partition(":")
        rest = [*rest[:-1], last]
    return _Step(parameter.number, ADD[parameter.kind], tuple(rest), PLACED.get(type_) == first, only)


_PLAN = _plan()
_DECEASED = of_type("Patient")["deceased"].number


def index(type_: str, body: Mapping[str, Any]) -> Indexed:
    """All index values of a resource with its meta; a date that can't be read as one is left out, the body still has it."""
    made, plan = Indexed(), _PLAN.get(type_, {})
    for element, value in body.items():
        for step in plan.get(element, ()):
            _take(step, made, value)
    if type_ == "Patient":
        made.tokens.append((_DECEASED, None, "true" if _died(body) else "false", None))
    return made


def _died(patient: Mapping[str, Any]) -> bool:
    """`Patient.deceased.exists() and Patient.deceased != false`, as R4 has it."""
    return bool(patient.get("deceasedBoolean")) or "deceasedDateTime" in patient


def _take(step: _Step, made: Indexed, value: Any) -> None:
    for place, one in enumerate(value if type(value) is list else (value,), 1):
        for found in values(one, step.rest) if step.rest else (one,):
            if found is not None and (not step.only or _points_to(step.only, found)):
                step.add(made, step.number, found, place if step.placed else None)


def _points_to(type_: str, value: Any) -> bool:
    """Whether a reference is to that type, as far as it says so."""
    if not isinstance(value, dict):
        return False
    return value.get("type") == type_ or f"/{type_}/" in f"/{value.get('reference', '')}"


def values(body: Any, path: Path) -> Iterator[Any]:
    """What stands at the path, lists opened."""
    here = body.get(path[0]) if isinstance(body, dict) else None
    if here is None:
        return
    for one in here if isinstance(here, list) else (here,):
        if len(path) > 1:
            yield from values(one, path[1:])
        elif one is not None:
            yield one


def clinical(type_: str, body: Mapping[str, Any]) -> datetime | None:
    """When it happened: the first moment of its date, in UTC; None where it is not said."""
    said = clinical_text(type_, body)
    return span(said)[0] if said else None


def clinical_text(type_: str, body: Mapping[str, Any]) -> str:
    """When it happened as it was written, to the precision that is known; empty where it is not said."""
    for path in CLINICAL.get(type_, ()):
        for value in values(body, path):
            try:
                span(value)
            except (ValueError, OverflowError, TypeError):
                continue
            return str(value)
    return ""
