"""Whether a resource meets the profiles of UK Core: what fails, where, and which profiles it may name in `meta.profile`.

Pure. A profile is met where the resource is good FHIR R4 and no rule of severity error finds anything. Rules stand in
`ukcore_rules`, `ukcore_care` and `ukcore_extensions`, profiles in `ukcore_profiles`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from carelink.record.marks import Marks, marks
from carelink.record.ukcore_care import CARE, SPECIAL
from carelink.record.ukcore_extensions import found as wrong_in_extension
from carelink.record.ukcore_finding import Finding, Loc, Rule, Severity
from carelink.record.ukcore_forms import IDENTIFIERS
from carelink.record.ukcore_profiles import OF_TYPE, PROFILES, Profile, built_on, is_uk_core
from carelink.record.ukcore_rules import PEOPLE
from fhir_adapters.source import Repair

NOT_MET = "UK-not-met"
NOT_CHECKED = "UK-not-checked"
WHY_NOT_MET = "A profile is named only where the resource meets it, and this one does not: "
WHY_NOT_CHECKED = (
    "A profile is named only where it was checked that the resource meets it; this one is not checked here"
)
RULES: Mapping[str, tuple[Rule, ...]] = {**PEOPLE, **CARE, **SPECIAL}  # by name of the profile

Body = dict[str, Any]


@dataclass(frozen=True)
class Profiled:
    """A resource with the profiles that it meets, which claims it lost, and what is to be told of its data."""

    body: Body
    repairs: tuple[Repair, ...] = ()
    findings: tuple[Finding, ...] = ()


def judge(body: Mapping[str, Any], profiles: Sequence[Profile], marked: Marks | None = None) -> tuple[Finding, ...]:
    """What of the resource does not hold to these profiles, or to what holds for all of UK Core."""
    found = list(_anywhere(marked if marked is not None else marks(body)))
    for profile in profiles:
        for rule in _rules_of(profile):
            found += rule.found(body)
    return tuple(found)


@cache
def _rules_of(profile: Profile) -> tuple[Rule, ...]:
    return tuple(rule for one in built_on(profile) for rule in RULES.get(one.name, ()))


def profiled(type_: str, body: Body, marked: Marks | None = None, *, valid: bool = True) -> Profiled:
    """The resource, in a copy where anything changes, naming those UK Core profiles that it meets and no other.

    `valid`: whether it is good R4; where it is not it meets nothing. Profiles that are not of UK Core stay as they are.
    """
    own = OF_TYPE.get(type_)
    meta = body.get("meta")
    claimed = list(meta["profile"]) if type(meta) is dict and "profile" in meta else []
    ours = [PROFILES[url] for url in claimed if url in PROFILES and PROFILES[url].type == type_]
    if own is None and not any(map(is_uk_core, claimed)):
        return Profiled(body)
    own_profile = (own,) if own is not None else ()
    general = judge(body, own_profile, marked)
    if own is not None and valid and not general and own.active and not claimed:
        return Profiled(_naming(body, [own.url]))  # nearly every resource of nearly every source
    met, findings = _met(body, {one.url: one for one in (*own_profile, *ours)}.values(), general, valid=valid)
    kept = [url for url in claimed if not is_uk_core(url) or url in met]
    if own is not None and own.active and own.url in met and own.url not in kept:
        kept.append(own.url)
    lost = tuple(_lost(type_, index, url, findings, valid) for index, url in enumerate(claimed) if url not in kept)
    told = tuple(one for one in findings if one.always or ours)
    return Profiled(body if kept == claimed else _naming(body, kept), lost, told)


def _met(
    body: Body, profiles: Any, general: tuple[Finding, ...], *, valid: bool
) -> tuple[frozenset[str], tuple[Finding, ...]]:
    """Which of these are met, and all that was found on the way."""
    met: set[str] = set()
    findings = dict.fromkeys(general)
    for one in profiles:
        found = general if one.name == one.type else judge(body, (one,))
        findings |= dict.fromkeys(found)
        if valid and not any(each.severity is Severity.ERROR for each in found):
            met.add(one.url)
    return frozenset(met), tuple(findings)


def _lost(type_: str, index: int, url: str, findings: Sequence[Finding], valid: bool) -> Repair:
    place = f"{type_}.meta.profile[{index}]"
    if url not in PROFILES or PROFILES[url].type != type_:
        return Repair(NOT_CHECKED, place, str(url)[:500], WHY_NOT_CHECKED)
    why = sorted({each.rule for each in findings if each.severity is Severity.ERROR}) if valid else ["FHIR R4"]
    return Repair(NOT_MET, place, str(url)[:500], WHY_NOT_MET + ", ".join(why))


def _naming(body: Body, profiles: list[str]) -> Body:
    meta = {name: value for name, value in (body.get("meta") or {}).items() if name.lstrip("_") != "profile"}
    if profiles:
        meta["profile"] = profiles
    if meta:
        return {**body, "meta": meta}
    return {name: value for name, value in body.items() if name != "meta"}


# What holds wherever it stands: extensions of UK Core, and identifiers whose form is known.


def _anywhere(marked: Marks) -> Iterator[Finding]:
    for loc, identifier in marked.identifiers:
        yield from _identified(identifier, loc)
    for loc, extension in marked.extensions:
        yield from wrong_in_extension(extension, loc)


def _identified(identifier: Mapping[str, Any], loc: Loc) -> Iterator[Finding]:
    value, (is_one, says) = identifier.get("value"), IDENTIFIERS[str(identifier["system"])]
    if isinstance(value, str) and not is_one(value):
        because = "The form of identifiers of that system (NHS Data Dictionary), of which UK Core makes its slices"
        yield Finding("uk-identifier-form", (*loc, "value"), Severity.ERROR, "value", f"Correct it: {says}", because)
