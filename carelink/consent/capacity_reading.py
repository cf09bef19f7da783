"""From stored FHIR to what is known of who decides. Pure; what can't be read counts as the stricter of its readings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from carelink.consent.capacity_codes import (
    AGAINST,
    AUTHORITIES,
    AUTHORITY,
    BEST_INTERESTS,
    CAPACITY,
    DECISION,
    DECISIONS,
    FOUND,
    GILLICK,
    IN_FAVOUR,
    INTERESTS,
    OUTCOME,
    PART,
    RECORD,
    SEEN,
)
from carelink.consent.mind import Authority, AuthorityKind, BestInterests, Decision, Finding, Mind, Outcome
from carelink.consent.periods import ALWAYS, Span, Unclear, moment, span
from carelink.ids import ResourceKey

Body = Mapping[str, Any]
Kept = tuple[ResourceKey, Body]
_COUNTS = frozenset({"final", "amended", "corrected"})  # Observation.status
_CONSULTED = frozenset({"consulted", "imca", "nobody-because"})


def mind_from(patient: Body, kept: Sequence[Kept]) -> Mind:
    """What the golden Patient and these Observations and RelatedPersons say."""
    observed = [(key, body, kind) for key, body in kept if (kind := record_of(body))]
    return Mind(
        birth_date=str(patient.get("birthDate", "")),
        deceased=_died(patient),
        findings=_findings(observed, CAPACITY),
        gillick=_findings(observed, GILLICK),
        authorities=_authorities(kept),
        best_interests=tuple(one for key, body, kind in observed if kind == BEST_INTERESTS for one in _best(key, body)),
    )


def record_of(body: Body) -> str:
    """Which record of who decides an Observation is; empty for every other, and for one that was a mistake."""
    if body.get("resourceType") != "Observation" or body.get("status") not in _COUNTS:
        return ""
    return next(iter(coded(body.get("code"), RECORD)), "")


def coded(concepts: Any, system: str) -> list[str]:
    """The codes of that system in one or several CodeableConcepts."""
    found = concepts if isinstance(concepts, list) else [concepts or {}]
    return [str(one.get("code", "")) for each in found for one in each.get("coding", ()) if one.get("system") == system]


def parts(body: Body) -> Iterator[tuple[str, Body]]:
    """The components of an Observation that say a part of an assessment, each with its code."""
    for one in body.get("component", ()):
        for code in coded(one.get("code"), PART):
            yield code, one


def decisions_of(body: Body) -> tuple[Decision, ...]:
    """What it is about; OTHER where it doesn't say, so that it is taken for nothing that it may not be."""
    codes = [code for one in body.get("component", ()) for code in coded(one.get("valueCodeableConcept"), DECISION)]
    return tuple(DECISIONS[code] for code in codes if code in DECISIONS) or (Decision.OTHER,)


def by_whom(body: Body) -> str:
    """Who assessed or decided; empty where it isn't said."""
    return next((str(one["display"]) for one in body.get("performer", ()) if one.get("display")), "")


def _died(patient: Body) -> datetime | None:
    if patient.get("deceasedBoolean") is True:
        return ALWAYS
    if "deceasedDateTime" not in patient:
        return None
    try:
        return moment(patient["deceasedDateTime"], last=False) or ALWAYS
    except Unclear:
        return ALWAYS


def _findings(observed: Iterable[tuple[ResourceKey, Body, str]], kind: str) -> tuple[Finding, ...]:
    return tuple(one for key, body, said in observed if said == kind for one in _finding(key, body))


def _finding(key: ResourceKey, body: Body) -> Iterator[Finding]:
    outcome = next((FOUND[code] for code in coded(body.get("valueCodeableConcept"), OUTCOME) if code in FOUND), None)
    when = _effective(body)
    if when is None and outcome is Outcome.LACKS:
        when = Span()  # nobody can read from when to when, so it counts
    if outcome is None or when is None:
        return
    for decision in decisions_of(body):
        yield Finding(decision, outcome, when.starts, by_whom(body), when.ends, key)


def _effective(body: Body) -> Span | None:
    try:
        if "effectivePeriod" in body:
            return span(body["effectivePeriod"])
        at = moment(body.get("effectiveDateTime"), last=False)
        return Span(at) if at else None
    except Unclear:
        return None


def _best(key: ResourceKey, body: Body) -> Iterator[BestInterests]:
    outcome = next(iter(coded(body.get("valueCodeableConcept"), INTERESTS)), "")
    when = _effective(body) or (Span() if outcome == AGAINST else None)
    if when is None or outcome not in (IN_FAVOUR, AGAINST):
        return
    consulted = any(code in _CONSULTED and _says(one) for code, one in parts(body))
    for decision in decisions_of(body):
        yield BestInterests(decision, outcome == IN_FAVOUR, when.starts, by_whom(body), consulted, key)


def _says(part: Body) -> bool:
    return bool(part.get("valueString")) or part.get("valueBoolean") is True


def _authorities(kept: Sequence[Kept]) -> tuple[Authority, ...]:
    """What somebody here has seen stands for what a source told of it, and ends with it."""
    held = [(one, _confirms(body)) for key, body in kept for one in authorities_of(key, body)]
    confirmed = {(of, one.kind) for one, of in held if of}
    told = {(str(one.key), one.kind): one for one, _ in held}
    return tuple(_until(one, told.get((of, one.kind))) for one, of in held if (str(one.key), one.kind) not in confirmed)


def _confirms(body: Body) -> str:
    return str(seen(body).get("confirms", ""))


def _until(one: Authority, told: Authority | None) -> Authority:
    if told is None or one.period is None:
        return one
    return replace(one, period=None if told.period is None else one.period.within(told.period))


def authorities_of(key: ResourceKey, body: Body) -> Iterator[Authority]:
    """Each authority that a RelatedPerson is said to hold: who is both kinds of attorney holds two."""
    if body.get("resourceType") != "RelatedPerson":
        return
    said = seen(body)
    if said.get("mistake") is True:
        return
    for kind in _kinds(body):
        yield Authority(
            kind=kind,
            name=_name(body),
            key=key,
            period=_period(body),
            registered=said.get("registered") is True,
            seen="seen" in said,
            suspended=said.get("suspended") is True,
            jointly=said.get("jointly") is True,
            decisions=frozenset(said["decisions"]) or None,
        )


def _kinds(body: Body) -> list[AuthorityKind]:
    """In the order in which they are said, each once. What our own codes say makes a broader code beside it idle."""
    pairs = [(c.get("system"), c.get("code")) for one in body.get("relationship", ()) for c in one.get("coding", ())]
    own = [AUTHORITIES[pair] for pair in pairs if pair[0] == AUTHORITY and pair in AUTHORITIES]
    return list(dict.fromkeys(own or [AUTHORITIES[pair] for pair in pairs if pair in AUTHORITIES]))


def seen(body: Body) -> dict[str, Any]:
    """What somebody who saw the paper recorded of it: its parts by name, and `decisions`."""
    told: dict[str, Any] = {"decisions": []}
    for one in (
        part for told_of in body.get("extension", ()) if told_of.get("url") == SEEN for part in _within(told_of)
    ):
        value = next((one[name] for name in one if name.startswith("value")), None)
        if one.get("url") == "decision":
            told["decisions"] += [DECISIONS[str(value)]] if value in DECISIONS else []
        else:
            told[str(one.get("url"))] = value
    return told


def _within(extension: Body) -> Iterator[Body]:
    yield from extension.get("extension", ())


def _name(body: Body) -> str:
    one: Body = next(iter(body.get("name", ())), {})
    return str(one.get("text") or " ".join([*one.get("given", ()), one.get("family", "")]).strip())


def _period(body: Body) -> Span | None:
    try:
        found = span(body.get("period"))
    except Unclear:
        return None
    ended = body.get("active") is False and found.ends is None
    return Span(ALWAYS, ALWAYS) if ended else found  # it has ended; nobody says when
