"""A patch, applied to a resource: JSON Patch (RFC 6902) or FHIRPath Patch (R4 fhirpatch). Pure: all of it or nothing.

What comes out is as much as was asked for and need not be a valid resource: whoever stores it checks that.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from carelink.errors import Invalid
from carelink.fhir import patching_fhirpath, patching_json

JSON_PATCH = "application/json-patch+json"
DEEPEST = 100  # levels of what comes out, as of what is sent
Body = dict[str, Any]


def patched(body: Body, patch: Any, content_type: str) -> Body:
    """The resource after the patch; `body` itself stays as it is.

    Raises `Invalid` with the place of the first operation that can't be done, `Conflict` where a test of it fails.
    """
    try:
        made = _applied(deepcopy(body), patch, content_type)
    except RecursionError as deep:
        raise Invalid("patch", "is nested too deeply") from deep
    for name in ("resourceType", "id"):
        if not isinstance(made, dict) or made.get(name) != body.get(name):
            raise Invalid(name, "can't be changed by a patch")
    return _not_too_deep(made)


def _applied(body: Body, patch: Any, content_type: str) -> Any:
    if content_type == JSON_PATCH:
        return patching_json.applied(body, patch)
    return patching_fhirpath.applied(body, patch)


def _not_too_deep(made: Body) -> Body:
    level: list[Any] = [made]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in _values(one)]
        if not level:
            return made
    raise Invalid(str(made["resourceType"]), f"would be nested deeper than {DEEPEST} levels")


def _values(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
