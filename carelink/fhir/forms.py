"""In which form an answer is wanted: JSON or XML, set out for reading, a summary, or some elements alone (R4 3.1.0.1.11,
3.1.1.4). Pure.

Whoever asks for none of it gets the stored bytes, and pays nothing for what others ask for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from werkzeug.exceptions import NotAcceptable

from carelink.errors import Invalid
from carelink.fhir import r4_elements, xml_writing
from fhir_adapters import exact_json

FHIR_JSON, FHIR_XML = "application/fhir+json", "application/fhir+xml"
NAMES = ("_format", "_pretty", "_summary", "_elements")  # parameters that shape an answer and ask for nothing else
COUNT = "count"
SUMMARIES = ("true", "text", "data", COUNT, "false")
MOST_ELEMENTS = 100
_JSON = frozenset({FHIR_JSON, "application/json", "text/json", "json"})
_XML = frozenset({FHIR_XML, "application/xml", "text/xml", "xml"})
_ANY = frozenset({"*/*", "application/*"})
_VERSIONS = frozenset({"", "4.0", "4.0.1"})
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,60}(\[x\])?")
SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
Body = Mapping[str, Any]


@dataclass(frozen=True)
class Form:
    """How an answer is to look. `elements` are those that are wanted, all where there are none."""

    xml: bool = False
    pretty: bool = False
    summary: str = ""
    elements: tuple[str, ...] = ()

    @property
    def media_type(self) -> str:
        return FHIR_XML if self.xml else FHIR_JSON

    @property
    def cuts(self) -> bool:
        """Whether it leaves something out of each resource."""
        return bool(self.elements) or self.summary not in ("", "false")


PLAIN = Form()


def form_of(given: Mapping[str, str], accepted: Iterable[tuple[str, float]], type_: str = "") -> Form:
    """The form that is asked for of resources of that type, or of any.

    Raises `NotAcceptable` where neither JSON nor XML of FHIR R4 will do, `Invalid` for a parameter that says nothing.
    """
    form = Form(
        xml=is_xml(given.get("_format", ""), accepted),
        pretty=_truth("_pretty", given.get("_pretty", "false")),
        summary=_summary(given.get("_summary")),
        elements=_elements(given.get("_elements"), type_),
    )
    if form.elements and form.summary not in ("", "false"):
        raise Invalid("_elements", "is given beside _summary; ask for one of the two")
    return form


def is_xml(wanted: str, accepted: Iterable[tuple[str, float]]) -> bool:
    """Whether XML is wanted; `_format` goes before `Accept` (R4 3.1.0.1.11), JSON is what is served by itself."""
    # A plus sign that was not escaped comes as a space.
    asked = [wanted.replace(" ", "+")] if wanted else [value for value, quality in accepted if quality > 0]
    served = [kind for one in asked if (kind := _served(one))]
    if asked and not served:
        raise NotAcceptable(f"Served here is FHIR R4 as JSON and XML: ask for {FHIR_JSON} or {FHIR_XML}")
    return bool(served) and served[0] == FHIR_XML


def _served(media_type: str) -> str:
    bare, *parameters = (part.strip(" +").lower() for part in media_type.split(";"))
    named = dict(part.split("=", 1) for part in parameters if "=" in part)
    if named.get("fhirversion", "").strip('"') not in _VERSIONS:
        return ""
    return FHIR_JSON if bare in _JSON | _ANY else FHIR_XML if bare in _XML else ""


def _truth(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise Invalid(name, "must be true or false")
    return text == "true"


def _summary(text: str | None) -> str:
    if text is not None and text not in SUMMARIES:
        raise Invalid("_summary", f"must be one of {', '.join(SUMMARIES)}")
    return text or ""


def _elements(text: str | None, type_: str) -> tuple[str, ...]:
    if text is None:
        return ()
    wanted = tuple(text.split(","))
    of = r4_elements.resource_structure(type_)
    known = r4_elements.names(of) if of is not None else r4_elements.every_name()
    if len(wanted) > MOST_ELEMENTS:
        raise Invalid("_elements", f"names more than {MOST_ELEMENTS} elements")
    for one in wanted:
        if not _NAME.fullmatch(one):
            raise Invalid("_elements", "must be names of elements at the top of a resource, with commas between them")
        if one not in known:
            raise Invalid("_elements", f"{one} is no element of {type_ or 'a resource'}")
    return tuple(one.removesuffix(r4_elements.CHOICE) for one in wanted)


# The answer in that form ----------------------------------------------------------------------------


def shaped(body: bytes | str, form: Form) -> bytes | str:
    """The answer in that form. Raises `NotAcceptable` for what can't be written as XML."""
    if form == PLAIN or not body:
        return body
    if not (form.cuts or form.xml):
        return set_out(body) if form.pretty else body
    value = exact_json.loads(body)
    if form.cuts:
        value = cut(value, form)
    if form.xml:
        return xml_writing.written(value, pretty=form.pretty)
    text = exact_json.dumps(value)
    return set_out(text) if form.pretty else text


def set_out(body: bytes | str) -> bytes:
    """The JSON on lines of its own; every number as it was written."""
    return msgspec.json.format(body.encode() if isinstance(body, str) else body, indent=2)


def cut(body: Body, form: Form) -> Body:
    """A resource with no more than was asked for, or a Bundle of such; what went wrong is told whole."""
    if body["resourceType"] == "Bundle":
        return _counted(body) if form.summary == COUNT else _each(body, form)
    if form.summary == COUNT:
        raise Invalid("_summary", "count is for searches: one resource can't be counted")
    return _cut(body, form)


def _counted(bundle: Body) -> Body:
    return {name: value for name, value in bundle.items() if name != "entry"}


def _each(bundle: Body, form: Form) -> Body:
    if "entry" not in bundle:
        return bundle
    return {**bundle, "entry": [_entry(one, form) for one in bundle["entry"]]}


def _entry(entry: Body, form: Form) -> Body:
    if "resource" not in entry:
        return entry
    return {**entry, "resource": _cut(entry["resource"], form)}


def _cut(resource: Body, form: Form) -> Body:
    if resource["resourceType"] == "OperationOutcome":
        return resource
    left = _elements_of(resource, form.elements) if form.elements else _SUMMARIES[form.summary](resource)
    return left if left == resource else _subsetted(left)


def _subsetted(resource: Body) -> Body:
    """With the tag that says that it is not whole, so that nobody stores it in the place of the whole (R4 3.1.1.4.9)."""
    meta = resource.get("meta", {})
    tags = [one for one in meta.get("tag", ()) if one.get("code") != SUBSETTED["code"]]
    return {**resource, "meta": {**meta, "tag": [*tags, SUBSETTED]}}


def is_subsetted(resource: Body) -> bool:
    """Whether somebody was given it as less than the whole; whatever its shape."""
    meta = resource.get("meta")
    tags = meta.get("tag") if isinstance(meta, Mapping) else None
    codes = [one.get("code") for one in tags if isinstance(one, Mapping)] if isinstance(tags, list) else []
    return SUBSETTED["code"] in codes


_ALWAYS = frozenset({"resourceType", "id", "meta"})


def _elements_of(resource: Body, wanted: Iterable[str]) -> Body:
    """These, and what must be there."""
    asked = frozenset(wanted)
    return _picked(resource, lambda one: one.required or one.name in asked or one.stem in asked)


def _picked(resource: Body, chosen: Callable[[r4_elements.Element], bool]) -> Body:
    of = r4_elements.structure(resource["resourceType"])
    known = of.elements if of is not None else {}
    return {
        name: value
        for name, value in resource.items()
        if name in _ALWAYS or ((one := known.get(name.removeprefix("_"))) is not None and chosen(one))
    }


def _text_of(resource: Body) -> Body:
    return _picked(resource, lambda one: one.required or one.name == "text")


def _data_of(resource: Body) -> Body:
    return {name: value for name, value in resource.items() if name != "text"}


def _summary_of(resource: Body) -> Body:
    of = r4_elements.structure(resource["resourceType"])
    return _summarised(resource, of) if of is not None else resource


def _summarised(value: Body, of: r4_elements.Structure) -> dict[str, Any]:
    left: dict[str, Any] = {}
    for name, one in value.items():
        element = of.elements.get(name.removeprefix("_"))
        if name == "resourceType" or (of.is_resource and name in _ALWAYS):
            left[name] = one
        elif element is not None and (element.summary or element.required) and (kept := _within(name, one, element)):
            left[name] = kept
    return left


def _within(name: str, value: Any, element: r4_elements.Element) -> Any:
    """What a summary keeps of it. An extension that changes the meaning is kept whole, or it could not be understood."""
    inner = r4_elements.within(element)
    if inner is None or name.startswith("_") or inner.name == "Extension":
        return value if value not in ([], {}) else None
    if isinstance(value, list):
        return [kept for one in value if (kept := _summarised(one, inner))]
    return _summarised(value, inner)


_SUMMARIES: Mapping[str, Callable[[Body], Body]] = {"true": _summary_of, "text": _text_of, "data": _data_of}
