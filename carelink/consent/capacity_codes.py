"""How findings of capacity, best-interests decisions and authorities are written in FHIR: systems, codes, extensions."""

from __future__ import annotations

from collections.abc import Mapping

from carelink.consent.mind import AuthorityKind, Decision, Outcome

_OWN = "https://carelink.example/CodeSystem"
RECORD = f"{_OWN}/legal-record"  # what an Observation of who decides is
DECISION = f"{_OWN}/decision"  # codes are the values of `Decision`
OUTCOME = f"{_OWN}/capacity-outcome"
PART = f"{_OWN}/capacity-part"
INTERESTS = f"{_OWN}/best-interests-outcome"
AUTHORITY = f"{_OWN}/legal-authority"  # codes are the values of `AuthorityKind`
ROLE_CODE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
SEEN = "https://carelink.example/StructureDefinition/legal-authority"  # extension of a RelatedPerson

CAPACITY, GILLICK, BEST_INTERESTS = "capacity-assessment", "gillick-assessment", "best-interests-decision"
RECORDS = frozenset({CAPACITY, GILLICK, BEST_INTERESTS})
IN_FAVOUR, AGAINST = "in-favour", "against"
FOUND: Mapping[str, Outcome] = {one.value: one for one in Outcome}

# v3-RoleCode says less than English law needs: which power is registered, and over what.
ROLE_CODES: Mapping[str, AuthorityKind] = {
    "HPOWATT": AuthorityKind.LPA_HEALTH,
    "POWATT": AuthorityKind.ATTORNEY_UNSTATED,
    "DPOWATT": AuthorityKind.ATTORNEY_UNSTATED,
    "SPOWATT": AuthorityKind.ATTORNEY_UNSTATED,
}
AUTHORITIES: Mapping[tuple[str, str], AuthorityKind] = {
    **{(AUTHORITY, one.value): one for one in AuthorityKind},
    **{(ROLE_CODE, code): kind for code, kind in ROLE_CODES.items()},
}
DECISIONS: Mapping[str, Decision] = {one.value: one for one in Decision}
