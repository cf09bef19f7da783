"""Whether the elements that a mapping file fills are elements of FHIR R4, and lists where FHIR has lists."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from fhir.resources.R4B import get_fhir_model_class
from pydantic import BaseModel

from fhir_adapters.mapping.problems import Key, Problems

_TYPE = re.compile(r"\b([A-Z]\w*)Type\b")
_OURS = frozenset({"when", "unless"})


def check_shape(type_: str, written: Mapping[str, Any], problems: Problems, key: Key) -> None:
    """Notes each element that the FHIR type does not have, and each that is a list and should not be, or the reverse."""
    try:
        model = get_fhir_model_class(type_)
    except (KeyError, ValueError):
        problems.add(key, f"{type_} is no type of FHIR R4")
        return
    _check(model, written, problems, key)


def _check(model: type[BaseModel], written: Mapping[str, Any], problems: Problems, key: Key) -> None:
    known = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    for name, value in written.items():
        if name in _OURS:
            continue
        if name not in known:
            problems.add((*key, name), f"is no element of FHIR R4 {model.__name__}")
            continue
        _check_value(known[name], value, problems, (*key, name))


def _check_value(annotation: Any, value: Any, problems: Problems, key: Key) -> None:
    if isinstance(value, Mapping) and "choose" in value:
        for one in value["choose"] if isinstance(value["choose"], list) else ():
            _check_value(annotation, one.get("be") if isinstance(one, Mapping) else one, problems, key)
        return
    listed = any(get_origin(one) is list for one in (annotation, *get_args(annotation)))
    if listed != isinstance(value, list):
        problems.add(key, "must be a list, in [ ]" if listed else "must be one value, not a list")
        return
    found = _TYPE.search(str(annotation))
    for at, one in enumerate(value if listed else [value]):
        if found and isinstance(one, Mapping):
            _check(get_fhir_model_class(found[1]), one, problems, (*key, f"[{at}]") if listed else key)
