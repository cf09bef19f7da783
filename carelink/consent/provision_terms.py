"""The conditions of one provision of a Consent: each element narrows what the provision speaks of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

from carelink.consent.facts import Coded, Directed
from carelink.consent.per_place import PerPlace
from carelink.consent.periods import ALWAYS, Span, Unclear, span
from carelink.consent.sensitivity import CONFIDENTIALITIES, Sensitivity, sensitivities
from carelink.ids import ODS, Ods, UserId
from carelink.place import Place

CATEGORY = "https://carelink.example/category"
ROLE = "https://carelink.example/CodeSystem/role"
TEAM = "https://carelink.example/CodeSystem/team"  # the value is organisation|team
USER = "https://carelink.example/CodeSystem/user"
ORGANISATION_TYPE = "https://carelink.example/CodeSystem/organisation-type"
RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
OWN_PURPOSE = "https://carelink.example/CodeSystem/purpose"
# v3-ParticipationType: to whom the information goes, and whom it comes from.
RECIPIENTS = frozenset({"IRCP", "PRCP"})
CUSTODIAN = frozenset({"CST"})
# http://terminology.hl7.org/CodeSystem/consentaction: what is done with the record here.
DONE_HERE = frozenset({"access", "use", "disclose"})
# What somebody may ask for, whatever roles a place has; and what nobody here asks for, so that a denial costs nothing.
ASKED_FOR = frozenset({"TREAT", "ETREAT", "BTG", "CAREMGT", "SAFEGUARDING", "PATRQT", "HOPERAT", "HRESCH", "PUBHLTH"})
NOT_DONE_HERE = frozenset({"HMARKT", "HPAYMT"})
# Purposes that v3-ActReason puts under another: who denies the wider one denies these too.
NARROWER = {"TREAT": {"ETREAT", "BTG"}, "ETREAT": {"BTG"}, "HOPERAT": {"CAREMGT"}}
_READ = frozenset(
    {"id", "type", "period", "actor", "action", "securityLabel", "purpose", "class", "code", "dataPeriod", "data"}
)

MOST = 500  # rows of one Consent
# A reference to an item of this server. What another server, or a bundle, calls so is another item.
_OURS = re.compile(r"[A-Z][A-Za-z]+/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


class Apart(Unclear):
    """It speaks of nothing that the provision around it speaks of."""


Json = Mapping[str, Any]
Narrow = Callable[[Json, Directed, Place], Iterable[Directed]]
T = TypeVar("T")


def narrowed(provision: Json, outer: Directed, place: Place) -> tuple[Directed, ...]:
    """What the provision speaks of, within `outer`: together the rows cover it exactly.

    Raises `Apart` for what can never hold within it, `Unclear` for what can't be held to exactly.
    """
    if unknown := sorted(set(provision) - _READ - {"provision"}):
        raise Unclear(f"a provision holds {unknown[0]}, which CareLink does not compile")
    rows: tuple[Directed, ...] = (outer,)
    for narrow in _ELEMENTS:
        rows = within_any(rows, lambda row, narrow=narrow: narrow(provision, row, place))  # type: ignore[misc]
    return rows


def within_any(rows: Iterable[Directed], narrow: Callable[[Directed], Iterable[Directed]]) -> tuple[Directed, ...]:
    """All that `narrow` gives of these rows. Raises `Apart` where it fits into none of them."""
    found: list[Directed] = []
    apart: Apart | None = None
    for row in rows:
        try:
            found += narrow(row)
        except Apart as not_here:
            apart = not_here
    if not found and apart is not None:
        raise apart
    if len(found) > MOST:
        raise Unclear("it says more than anybody can keep")
    return tuple(found)


def _period(provision: Json, outer: Directed, place: Place) -> Iterator[Directed]:
    said = span(provision.get("period"))
    if said.ends is not None and said.ends <= said.starts:
        raise Unclear("it ends before it starts")
    found = said.within(Span(outer.starts, outer.ends))
    if found.ends is not None and found.ends <= found.starts:
        raise Apart("an exception holds at another time than the rule that it stands in")
    yield replace(outer, starts=found.starts, ends=found.ends)


def _action(provision: Json, outer: Directed, place: Place) -> Iterator[Directed]:
    done = {coding.get("code") for one in provision.get("action", ()) for coding in one.get("coding", ())}
    if provision.get("action") and not done & DONE_HERE:
        raise Unclear("it speaks of an action that is not done here")
    yield outer


def _actors(provision: Json, outer: Directed, place: Place) -> Iterable[Directed]:
    """Recipients are alternatives, a row each; custodians too, in one row."""
    recipients, custodians = [], set()
    for actor in provision.get("actor", ()):
        roles = {coding.get("code") for coding in actor.get("role", {}).get("coding", ())}
        if roles and roles <= CUSTODIAN:
            custodians.add(_organisation(actor, place))
        elif roles and roles <= RECIPIENTS:
            recipients.append(actor)
        else:
            raise Unclear("it names an actor, and not whether information goes to them or comes from them")
    if custodians:
        outer = replace(outer, custodians=_both(outer.custodians, custodians))
    if not recipients:
        return (outer,)
    return _to_any(recipients, outer, place)


def _to_any(recipients: Iterable[Json], outer: Directed, place: Place) -> Iterator[Directed]:
    apart: Apart | None = None
    found = False
    for actor in recipients:
        fields = _recipient(actor, place)
        if any(getattr(outer, name) not in (None, wanted) for name, wanted in fields.items()):
            apart = Apart("an exception is to somebody whom the rule that it stands in is not about")
            continue
        found = True
        yield replace(outer, **fields)
    if not found and apart:
        raise apart


def _recipient(actor: Json, place: Place) -> dict[str, Any]:
    """The columns that name this recipient."""
    system, value = _identifier(actor)
    if system == ODS:
        return {"organisation": _organisation(actor, place)}
    if system == ORGANISATION_TYPE and value in {one.type for one in place.organisations.values()}:
        return {"organisation_type": value}
    if system == ROLE and value in place.roles:
        return {"role": value}
    if system == TEAM and (team := _teams(place).get(value)):
        return {"organisation": team[0], "team": team[1]}
    if user := _user(system, value, place):
        return {"user": user}
    raise Unclear("it names a recipient whom this place does not know")


def _identifier(actor: Json) -> tuple[str, str]:
    found = actor.get("reference", {}).get("identifier", {})
    return found.get("system", ""), found.get("value", "")


def _organisation(actor: Json, place: Place) -> Ods:
    system, value = _identifier(actor)
    if system != ODS or value not in place.organisations:
        raise Unclear("it names an organisation that this place does not know")
    return Ods(value)


def _user(system: str, value: str, place: Place) -> UserId | None:
    if system == USER:
        return UserId(value) if value in place.staff else None
    return _workers(place).get(f"{system}|{value}")


_workers = PerPlace(lambda place: {said: one.id for one in place.staff.values() for said in one.identifiers})
_teams = PerPlace(
    lambda place: {
        f"{one.organisation}|{one.team}": (one.organisation, one.team) for one in place.staff.values() if one.team
    }
)


def _labels(provision: Json, outer: Directed, place: Place) -> Iterator[Directed]:
    bits = 0
    for coding in provision.get("securityLabel", ()):
        bits |= _label(coding, place)
    if not bits:
        yield outer
    elif outer.sensitivities is None:
        yield replace(outer, sensitivities=bits)
    elif shared := outer.sensitivities & bits:
        yield replace(outer, sensitivities=shared)
    else:
        raise Apart("an exception is about something that the rule that it stands in is not about")


def _label(coding: Json, place: Place) -> int:
    if coding.get("system") in CONFIDENTIALITIES and coding.get("code") in ("R", "V"):
        return int(Sensitivity.RESTRICTED)
    found = sensitivities(place).told({"meta": {"security": [coding]}})
    if not found:
        raise Unclear("it names a security label that this place does not know")
    return found


def _purposes(provision: Json, outer: Directed, place: Place) -> Iterator[Directed]:
    wanted: set[str] = set()
    known = ASKED_FOR | NOT_DONE_HERE | {purpose for role in place.roles.values() for purpose in role.purposes}
    for coding in provision.get("purpose", ()):
        if coding.get("system") not in (ACT_REASON, OWN_PURPOSE) or coding.get("code") not in known:
            raise Unclear("it names a purpose that this place does not know")
        wanted.add(coding["code"])
        if outer.effect == "deny":
            wanted |= NARROWER.get(coding["code"], set())
    yield replace(outer, purposes=_both(outer.purposes, wanted)) if wanted else outer


def _classes(provision: Json, outer: Directed, place: Place) -> Iterator[Directed]:
    """Kinds of information of the place and types of resource are alternatives, a row for each sort."""
    given = provision.get("class", ())
    types = {one["code"] for one in given if one.get("system") == RESOURCE_TYPES and one.get("code")}
    categories = {_category(one, place) for one in given if one.get("system") != RESOURCE_TYPES or not one.get("code")}
    if types:
        yield replace(outer, types=_both(outer.types, types))
    if categories:
        yield replace(outer, categories=_both(outer.categories, categories))
    if not given:
        yield outer


def _category(coding: Json, place: Place) -> str:
    if coding.get("system") != CATEGORY or coding.get("code") not in place.categories:
        raise Unclear("it names a kind of information that this place does not know")
    return str(coding["code"])


def _codes(provision: Json, outer: Directed, place: Place) -> Iterator[Directed]:
    """A code of ours is a kind of information; any other is looked for in the item itself."""
    given = list(_coded(provision))
    codes: set[Coded] = {(one["system"], one["code"]) for one in given if one.get("system") != CATEGORY}
    categories = {_category(one, place) for one in given if one.get("system") == CATEGORY}
    if codes:
        yield replace(outer, codes=_both(outer.codes, codes))
    if categories:
        yield replace(outer, categories=_both(outer.categories, categories))
    if not given:
        yield outer


def _coded(provision: Json) -> Iterator[Json]:
    for concept in provision.get("code", ()):
        if not concept.get("coding"):
            raise Unclear("it names a kind of information in words alone")
        for coding in concept["coding"]:
            if not coding.get("system") or not coding.get("code"):
                raise Unclear("it names a code without its system")
            yield coding


def _data_period(provision: Json, outer: Directed, place: Place) -> Iterator[Directed]:
    if "dataPeriod" not in provision:
        yield outer
        return
    if not provision["dataPeriod"]:
        raise Unclear("it is about a time that it does not say")
    said, before = span(provision["dataPeriod"]), Span(outer.since or ALWAYS, outer.until)
    if said.ends is not None and said.ends <= said.starts:
        raise Unclear("it is about a time that ends before it starts")
    found = said.within(before)
    if found.ends is not None and found.ends <= found.starts:
        raise Apart("an exception is about another time than the rule that it stands in")
    yield replace(outer, since=found.starts, until=found.ends)


def _items(provision: Json, outer: Directed, place: Place) -> Iterator[Directed]:
    wanted = {_item(one) for one in provision.get("data", ())}
    yield replace(outer, items=_both(outer.items, wanted)) if wanted else outer


def _item(data: Json) -> UUID:
    if data.get("meaning") != "instance":
        raise Unclear("it is about what hangs together with an item, which can't be told exactly")
    named = _OURS.fullmatch(str(data.get("reference", {}).get("reference", "")))
    if named is None:
        raise Unclear("it names an item that is not in the record")
    return UUID(named[1])


def _both(outer: frozenset[T] | None, wanted: Iterable[T]) -> frozenset[T]:
    """What both name. Raises `Apart` where that is nothing."""
    found = frozenset(wanted) if outer is None else outer & frozenset(wanted)
    if not found:
        raise Apart("an exception is about something that the rule that it stands in is not about")
    return found


_ELEMENTS: tuple[Narrow, ...] = (
    _period,
    _action,
    _actors,
    _labels,
    _purposes,
    _classes,
    _codes,
    _data_period,
    _items,
)
