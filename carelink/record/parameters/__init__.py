"""The search parameters that we index, as data (FHIR R4 search parameter registry).

A parameter under 100 is asked without a person: it has an index of its own. A number, once given, stays.
"""

from __future__ import annotations

from collections.abc import Mapping

from carelink.record.parameters.dates import DATES
from carelink.record.parameters.moments import CLINICAL
from carelink.record.parameters.quantities import COMPOSITES, PLACED, QUANTITIES
from carelink.record.parameters.references import REFERENCES
from carelink.record.parameters.shape import LOCATING_TYPES, Kind, Parameter, Path, row
from carelink.record.parameters.texts import STRINGS, URIS
from carelink.record.parameters.tokens import TOKENS

__all__ = [
    "ALIASES",
    "CLINICAL",
    "LOCATING_TYPES",
    "PARAMETERS",
    "PLACED",
    "TYPES",
    "Kind",
    "Parameter",
    "Path",
    "of_type",
]

_OF_TYPES = (*TOKENS, *STRINGS, *DATES, *REFERENCES, *QUANTITIES, *URIS, *COMPOSITES)
TYPES = tuple(sorted({type_ for one in _OF_TYPES for type_ in one.paths}))
_EVERY = " ".join(TYPES)
PARAMETERS: tuple[Parameter, ...] = (
    *_OF_TYPES,
    row(Kind.URI, 600, "_profile", ("meta.profile", _EVERY)),
    row(Kind.TOKEN, 601, "_security", ("meta.security", _EVERY)),
    row(Kind.TOKEN, 602, "_tag", ("meta.tag", _EVERY), locating=True),
)

# Asked as one parameter, kept as another with a system of its own (R4: Patient.telecom.where(system='phone')).
ALIASES: Mapping[str, tuple[str, str]] = {"phone": ("telecom", "phone"), "email": ("telecom", "email")}

_BY_TYPE: dict[str, dict[str, Parameter]] = {}
for _parameter in PARAMETERS:
    for _type in _parameter.paths:
        _BY_TYPE.setdefault(_type, {})[_parameter.code] = _parameter


def of_type(type_: str) -> Mapping[str, Parameter]:
    """The indexed parameters of that type by their code."""
    return _BY_TYPE.get(type_, {})
