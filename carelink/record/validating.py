"""What is right and wrong in a resource, all of it, for whoever wants to know before they send it. Pure; stores nothing.

FHIR R4 4.0.1 (structure, required codes, invariants, narrative) and the rules of UK Core. `$validate` answers with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from carelink.record import narrative, ukcore
from carelink.record.ukcore_finding import Finding, Severity, each
from carelink.record.ukcore_profiles import OF_TYPE, PROFILES, Profile, is_uk_core
from carelink.record.validation import every_fault
from carelink.record.validation_elements import Fault, fhir_path

BASE = "http://hl7.org/fhir/StructureDefinition/"
MOST = 200  # issues of one answer: whoever has more mends these first
LARGEST = 10_000  # objects, lists and values of one resource; a discharge Bundle has a few thousand


@dataclass(frozen=True)
class Issue:
    """One thing to say of a resource, as OperationOutcome says it: `place` is a FHIRPath, `words` say what to do."""

    severity: str
    code: str
    place: str
    words: str


# kind of a fault -> code of the issue, what to do; what is not here has a value that must be corrected
_KINDS: Mapping[str, tuple[str, str]] = {
    "missing": ("required", "give it"),
    "model_field_validation.missing": ("required", "give it"),
    "extra_forbidden": ("structure", "leave it out"),
    "list_type": ("structure", "write it as a list"),
    "object_type": ("structure", "write it as an object"),
    "code": ("code-invalid", "use one of them"),
    "empty": ("structure", "leave it out"),
    "unknown": ("not-supported", "send a type of FHIR R4"),
}


_PATTERN = re.compile(r"(\w+) value string does not match spec regex\.?")


def issues(type_: str, body: Mapping[str, Any], asked: str = "") -> tuple[Issue, ...]:
    """All that is to be said of the resource; `asked` is the url of a profile that it is held to. Never empty.

    Where nothing is wrong one issue says so, of severity information.
    """
    if _size(body) > LARGEST:
        words = (
            f"It has more than {LARGEST} values, which is too much to look at in one go; send its resources one by one"
        )
        return (Issue("error", "too-costly", type_, words),)
    said = list(_all(type_, dict(body), asked))
    if not said:
        return (_well(type_, asked),)
    if len(said) > MOST:
        more = f"There are {len(said) - MOST} more; mend these first"
        return (*said[:MOST], Issue("information", "incomplete", type_, more))
    return tuple(said)


def _size(body: Any) -> int:
    """How many values are in it; not counted further than anybody needs to know."""
    number, waiting = 0, [body]
    while waiting and number <= LARGEST:
        number += 1
        one = waiting.pop()
        if isinstance(one, (dict, list)):
            waiting += one.values() if isinstance(one, dict) else one
    return number


def _all(type_: str, body: dict[str, Any], asked: str) -> Iterator[Issue]:
    if asked and _profile(type_, asked) is None and asked != f"{BASE}{type_}":
        words = f"The profile {asked[:200]} is not known here, so it was not looked at; known are {_known(type_)}"
        yield Issue("error", "not-supported", type_, words)
    try:
        yield from (_of_fault(type_, one) for one in every_fault(type_, body))
        yield from _of_narratives(type_, body)
        yield from _of_uk_core(type_, body, asked, type_)
        for index, entry in each(body, "entry") if type_ == "Bundle" else ():
            inner = entry.get("resource")
            if isinstance(inner, Mapping):
                yield from _of_uk_core(str(inner.get("resourceType")), inner, "", f"Bundle.entry[{index}].resource")
    except RecursionError:
        yield Issue("error", "too-costly", type_, "It is nested too deeply to be looked at; send it in parts")


def _profile(type_: str, url: str) -> Profile | None:
    found = PROFILES.get(url.partition("|")[0])
    return found if found is not None and found.type == type_ else None


def _known(type_: str) -> str:
    return ", ".join([f"{BASE}{type_}", *(url for url, one in PROFILES.items() if one.type == type_)])


def _of_fault(type_: str, fault: Fault) -> Issue:
    place = fhir_path(type_, fault.loc[:-1] if fault.loc[-1:] == ("root",) else fault.loc)
    if fault.invariant is not None:
        return Issue("error", "invariant", place, f"{fault.invariant.id} does not hold: {fault.invariant.says}")
    if fault.kind == "modifier":
        return Issue("warning", "extension", place, f"{fault.message}: it would not be stored here")
    code, do = _KINDS.get(fault.kind, ("value", "correct it"))
    said = _PATTERN.sub(r"is not written as FHIR writes it (\1)", fault.message)
    return Issue("error", code, place, f"{said}; {do}")


def _of_narratives(type_: str, body: dict[str, Any]) -> Iterator[Issue]:
    for one in narrative.cleaned(type_, body)[1]:
        words = "txt-1: it is not XHTML formatting alone; what is not is taken out when it is stored"
        if one.rule == narrative.EMPTY:
            words = "txt-2: there is nothing to read in it; leave the narrative out"
        yield Issue("warning", "invariant", one.path, words)


def _of_uk_core(type_: str, body: Mapping[str, Any], asked: str, within: str) -> Iterator[Issue]:
    own = OF_TYPE.get(type_)
    meta = body.get("meta")
    named = [one for one in (meta.get("profile") if isinstance(meta, Mapping) else None) or [] if isinstance(one, str)]
    claimed = [one for url in (asked, *named) if url and (one := _profile(type_, url)) is not None]
    for url in named:
        if is_uk_core(url) and _profile(type_, url) is None:
            words = f"The profile {url[:200]} is not checked here; it would not be named in what is stored"
            yield Issue("warning", "not-supported", f"{within}.meta.profile", words)
    profiles = list(dict.fromkeys([*((own,) if own is not None else ()), *claimed]))
    told = dict.fromkeys(_lowered(ukcore.judge(body, profiles), strict=bool(claimed)))
    yield from (
        Issue(str(one.severity), one.code, fhir_path(within, one.loc), f"{one.says}. {one.because}") for one in told
    )


def _lowered(found: Iterable[Finding], *, strict: bool) -> Iterator[Finding]:
    """What is a matter only for who claims a profile is no error of a resource that claims none."""
    for one in found:
        yield one if strict or one.always else replace(one, severity=Severity.WARNING)


def _well(type_: str, asked: str) -> Issue:
    own = _profile(type_, asked) or OF_TYPE.get(type_)
    also = f" and of UK Core {own.name} {own.version}" if own is not None else ""
    return Issue("information", "informational", type_, f"All is well: nothing of FHIR R4 4.0.1{also} fails")


def failed(said: Sequence[Issue]) -> bool:
    """Whether anything is wrong with it that is more than a warning."""
    return any(one.severity == "error" for one in said)
