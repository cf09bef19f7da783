"""FHIR Consent -> provisions: what a person denied or permitted, to whom, of what, from when until when.

HL7 FHIR R4 Consent.provision: a provision holds where all its elements do; of the values of one element any will do;
nested provisions are exceptions to the one that they stand in, so they hold within its conditions.
What can't be compiled is never half-applied: it falls back to the stricter reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from carelink.consent.facts import Directed
from carelink.consent.periods import Unclear, moment
from carelink.consent.provision_terms import narrowed, within_any
from carelink.consent.rules import CONSENT_DENY, CONSENT_EXCEPTION, CONSENT_PERMIT, OBJECTION, OPT_OUT, UNCLEAR
from carelink.place import Place

SCOPES = "http://terminology.hl7.org/CodeSystem/consentscope"
# Those of its codes that are about something else than sharing.
RESEARCH = "research"
OTHER_SCOPES = frozenset({"adr", "treatment", RESEARCH})
# What the national data opt-out is about (its operational policy of 2018): planning and research.
OPTED_OUT_OF = frozenset({"HRESCH", "HOPERAT"})
# https://terminology.hl7.org/CodeSystem/v3-ActCode, ActConsentDirective: to opt out, to opt out with exceptions.
OPT_OUTS = frozenset({"OPTOUT", "OPTOUTE"})
DEEPEST = 8  # a Consent of more levels is nobody's wish

HIDES_ALL = Directed("deny", rule=UNCLEAR.id)
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Compiled:
    """The provisions of a Consent, and why it can't be read where it can't: sentences that name nobody."""

    directives: tuple[Directed, ...] = ()
    problems: tuple[str, ...] = ()


def compile_consent(body: Json, place: Place) -> Compiled:
    """The provisions of a Consent: none where it is not active or not about sharing.

    Where it can't be compiled, the whole record to nobody; but of a mere permission nothing at all.
    """
    if body.get("status") != "active":
        return Compiled()
    codings = body.get("scope", {}).get("coding", ())
    scopes = {coding.get("code") if coding.get("system") == SCOPES else None for coding in codings}
    if scopes and scopes <= OTHER_SCOPES:
        return Compiled(tuple(_opted_out(body, scopes)))
    try:
        return Compiled(tuple(_provisions(body, place)))
    except Unclear as why:
        hides = _opts_out(body) or _may_deny(body.get("provision"))
        return Compiled((HIDES_ALL,) if hides else (), (str(why),))


def _opted_out(body: Json, scopes: set[Any]) -> Iterator[Directed]:
    """A denial of research, however it is put, is the opt-out from planning and research."""
    if RESEARCH in scopes and _may_deny(body.get("provision")):
        yield Directed("deny", rule=OPT_OUT.id, purposes=OPTED_OUT_OF)


def _may_deny(provision: Any) -> bool:
    """Whether anything in it denies, or may: what says neither is not known to permit."""
    if not isinstance(provision, Mapping) or provision.get("type") != "permit":
        return True
    return any(_may_deny(one) for one in provision.get("provision", ()))


def _opts_out(body: Json) -> bool:
    """Whether it denies by its policy: its provision is then an exception to that (R4 6.2.7, `policyRule`)."""
    return any(coding.get("code") in OPT_OUTS for coding in body.get("policyRule", {}).get("coding", ()))


def _provisions(body: Json, place: Place) -> Iterator[Directed]:
    if "modifierExtension" in body:
        raise Unclear("it holds an extension that may change what it means")
    provision = body.get("provision", {})
    if _opts_out(body) and provision.get("type") == "permit":
        raise Unclear("its policy denies everything and its provision permits: whom it denies is not told exactly")
    said = body.get("dateTime")
    first, last = moment(said, last=False), moment(said, last=True)
    for one in _within(provision, Directed(""), place):
        # Of what has a day and no time it is not known which came first: the denial is taken to be the later.
        yield replace(one, made=last if one.effect == "deny" else first)


def _within(provision: Json, outer: Directed, place: Place, depth: int = 0) -> Iterator[Directed]:
    """The provision within the conditions of the one that it is an exception to, and its own exceptions."""
    if depth > DEEPEST:
        raise Unclear("its exceptions to exceptions go too deep")
    effect = provision.get("type")
    if effect not in ("deny", "permit"):
        raise Unclear("a provision says neither deny nor permit")
    lifts = outer.effect == "deny" or outer.rule == CONSENT_EXCEPTION.id
    own = tuple(
        replace(one, rule=_rule(one, lifts=lifts))
        for one in narrowed(provision, replace(outer, effect=effect, depth=depth), place)
    )
    yield from own
    for exception in provision.get("provision", ()):
        yield from within_any(own, lambda row, inner=exception: tuple(_within(inner, row, place, depth + 1)))  # type: ignore[misc]


_PLAIN = Directed("deny")


def _rule(one: Directed, *, lifts: bool) -> str:
    """A denial of everything, or to one organisation, or of some kinds of information, is an objection (rule 7).

    A permission within a denial lifts that for whom it names, and gives them nothing that they had not before.
    """
    if one.effect == "permit":
        return CONSENT_EXCEPTION.id if lifts else CONSENT_PERMIT.id
    plain = replace(
        one, rule=_PLAIN.rule, depth=0, starts=_PLAIN.starts, ends=None, made=None, organisation=None, categories=None
    )
    return OBJECTION.id if plain == _PLAIN else CONSENT_DENY.id
