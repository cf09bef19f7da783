"""What each element of a FHIR datatype is, read once from the models that validate: its datatype, and the codes it may hold.

The models are lenient (they take `"true"` for true, any text as a URI, any code for a required binding); these shapes let
`validation_elements` look again, without building anything.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic.fields import FieldInfo

from carelink.record.bindings import REQUIRED

# What the models hide behind Python's own types.
_PRIMITIVE_OF = {"bool": "boolean", "int": "integer", "decimal": "decimal", "str": "string"}
_WORD = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True)
class Element:
    """One element: the name of its datatype, and the codes of its required binding where it has one."""

    datatype: str
    primitive: bool
    codes: frozenset[str] | None = None
    model: str = ""  # dotted name of the model, of a complex datatype

    @cached_property
    def shape(self) -> Shape | None:
        """The elements of a complex datatype; None for a primitive, and for any resource (`contained`)."""
        return None if self.primitive or self.datatype == "Resource" else _shape_at(self.model)


@dataclass(frozen=True)
class Shape:
    """A datatype, backbone element (`PatientContact`) or resource type with its elements by their names in JSON."""

    name: str
    elements: Mapping[str, Element]


@cache
def shape_of(type_: str) -> Shape | None:
    """The shape of a resource type; None where there is no such type."""
    model = model_of(type_)
    return _shape(model) if model is not None else None


@cache
def model_of(type_: str) -> Any | None:
    """The model that validates that resource type; None where R4 has no such resource."""
    try:
        model = get_fhir_model_class(type_)
    except (LookupError, ValueError):
        return None
    return model if "meta" in model.model_fields and type_ != "Resource" else None


@cache
def _shape_at(dotted: str) -> Shape:
    module, _, name = dotted.rpartition(".")
    return _shape(getattr(import_module(module), name))


@cache
def _shape(model: Any) -> Shape:
    name = model.__name__
    elements = {
        str(field.alias or key): _element(name, str(field.alias or key), field)
        for key, field in model.model_fields.items()
        if key not in ("resource_type", "fhir_comments")
    }
    return Shape(name, elements)


def _element(owner: str, key: str, field: FieldInfo) -> Element:
    kind, metadata = _innermost(field.annotation)
    if hasattr(kind, "_model_klass"):
        named = kind.__name__.removesuffix("Type")
        return Element(named, False, model=str(kind._model_klass))
    named = type(metadata).__name__.lower() if metadata is not None else kind.__name__.lower()
    return Element(_PRIMITIVE_OF.get(named, named), True, _codes(owner, key, field))


def _innermost(annotation: Any) -> tuple[Any, Any]:
    """The datatype within `Optional[List[Optional[Annotated[str, Code()]]]]`, and what it is annotated with."""
    metadata = None
    while arguments := typing.get_args(annotation):
        if typing.get_origin(annotation) is typing.Annotated:
            metadata = arguments[1]
        annotation = arguments[0]
    return annotation, metadata


def _codes(owner: str, key: str, field: FieldInfo) -> frozenset[str] | None:
    """The required binding: ours, else the model's where it is told in full (it shortens long ones by a `+`)."""
    if ours := REQUIRED.get(owner, {}).get(key):
        return ours
    extra = field.json_schema_extra
    told = extra.get("enum_values") if isinstance(extra, Mapping) else None
    if not isinstance(told, list) or not all(isinstance(code, str) and _WORD.fullmatch(code) for code in told):
        return None
    return frozenset(str(code) for code in told)
