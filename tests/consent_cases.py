"""The decision table: who asks, of what item, of which person -> the answer, and the rule that gives it.

An information governance lead can read it row by row. Every row is asked of the decision as a value
(tests/unit/test_consent_decision.py) and of the same decision as SQL (tests/integration/test_consent_lens.py).
The agreements that it stands on are in tests/consent_builders.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from conftest import NOW
from consent_builders import (
    ANN,
    BOARD,
    DAY,
    HOSPITAL,
    NORTH,
    PLACE,
    SOUTH,
    SURGERY,
    facts,
    item,
    key_of,
    objects,
    related,
    staff,
    themselves,
)

from carelink.consent.facts import Facts, Labelled
from carelink.consent.requester import Requester
from carelink.consent.rules import Effect
from carelink.ids import Ods
from carelink.place import Place

PERMIT, REDACT, DENY = Effect.PERMIT, Effect.REDACT, Effect.DENY


@dataclass(frozen=True)
class Case:
    says: str
    who: Requester
    item: Labelled
    person: Facts
    effect: Effect
    rule: str
    place: Place = PLACE


SAM, LENA, GWEN, NADIA, TOM, IRIS = map(staff, ("sam", "lena", "gwen", "nadia", "tom", "iris"))
ANN_HERSELF = themselves(ANN)
BOB = key_of("bob")

# Who is involved with Ann, and how.
HIS = facts(related("caseload", NORTH, user="sam"))
TEAMS = facts(related("caseload", NORTH, team="adults-north"))
WARD = facts(related("encounter", HOSPITAL))
PRACTICE = facts(related("registered-practice", SURGERY))
NOBODY = facts()


def also(known: Facts, *more: object, restricted: bool = False) -> Facts:
    """What is known of the person, and this as well."""
    extra = facts(*more, restricted=restricted)  # type: ignore[arg-type]
    return Facts(
        known.related + extra.related,
        known.directed + extra.directed,
        known.restricted or extra.restricted,
        known.kept_out + extra.kept_out,
        known.grants + extra.grants,
    )


RELATIONSHIP = (
    Case("a social worker sees what the GP shares of a person on his caseload", SAM, item(SURGERY, "problems"), HIS, PERMIT, "L8-agreement"),
    Case("so does everybody of the team that the person is allocated to", SAM, item(SURGERY, "problems"), TEAMS, PERMIT, "L8-agreement"),
    Case("a colleague of another team does not", LENA, item(SURGERY, "problems"), TEAMS, DENY, "L9-no-relationship"),
    Case("nor does a colleague whose name is not on the case", LENA, item(SURGERY, "problems"), HIS, DENY, "L9-no-relationship"),
    Case("a stranger sees nothing, though the organisations agreed", SAM, item(SURGERY, "problems"), NOBODY, DENY, "L9-no-relationship"),
    Case("a stranger sees nothing of his own organisation's either", SAM, item(NORTH, "services"), NOBODY, DENY, "L9-no-relationship"),
    Case("the relationship of another organisation is none of his", SAM, item(SURGERY, "problems"), WARD, DENY, "L9-no-relationship"),
    Case("the same user at another organisation is a stranger there", staff("sam", organisation=SOUTH), item(SURGERY, "problems"), HIS, DENY, "L9-no-relationship"),
    Case("a team of the same name elsewhere is another team", staff("sam", organisation=SOUTH), item(SURGERY, "problems"), TEAMS, DENY, "L9-no-relationship"),
    Case("whoever works on the ward of a stay sees what the council shares", NADIA, item(NORTH, "services"), WARD, PERMIT, "L8-agreement"),
    Case("the registered practice sees what the hospital shares", TOM, item(HOSPITAL, "problems"), PRACTICE, PERMIT, "L8-agreement"),
    Case("another practice does not", staff("ana"), item(HOSPITAL, "problems"), PRACTICE, DENY, "L9-no-relationship"),
    Case("an accepted referral opens the record to who accepted it", GWEN, item(SURGERY, "problems"), facts(related("referral", SOUTH)), PERMIT, "L8-agreement"),
    Case("a relationship that is over is none", SAM, item(SURGERY, "problems"), facts(related(ends=NOW - DAY)), DENY, "L9-no-relationship"),
    Case("it is over at the very moment of its end", SAM, item(SURGERY, "problems"), facts(related(ends=NOW)), DENY, "L9-no-relationship"),
    Case("until then it holds", SAM, item(SURGERY, "problems"), facts(related(ends=NOW + DAY)), PERMIT, "L8-agreement"),
    Case("one that begins tomorrow does not hold yet", SAM, item(SURGERY, "problems"), facts(related(starts=NOW + DAY)), DENY, "L9-no-relationship"),
    Case("it holds from the very moment of its beginning", SAM, item(SURGERY, "problems"), facts(related(starts=NOW)), PERMIT, "L8-agreement"),
    Case("of several the one that holds counts", SAM, item(SURGERY, "problems"), facts(related(ends=NOW - DAY), related("referral")), PERMIT, "L8-agreement"),
)  # fmt: skip

AGREEMENT = (
    Case("what no agreement names is not shared", SAM, item(SURGERY, "documents"), HIS, DENY, "L8-no-agreement"),
    Case("nor what is of no known kind", SAM, item(SURGERY, "other"), HIS, DENY, "L8-no-agreement"),
    Case("nor a kind that this place has never heard of", SAM, item(SURGERY, "rumours"), HIS, DENY, "L8-no-agreement"),
    Case("nor what an organisation holds that nobody knows", SAM, item(Ods("X99"), "problems"), HIS, DENY, "L8-no-agreement"),
    Case("an agreement of one hospital and one council holds between these", SAM, item(HOSPITAL, "documents"), HIS, PERMIT, "L8-agreement"),
    Case("and for no other council", GWEN, item(HOSPITAL, "documents"), facts(related("caseload", SOUTH, user="gwen")), DENY, "L8-no-agreement"),
    Case("what health shares with care goes to no nurse of another hospital's", NADIA, item(SURGERY, "medicines"), WARD, DENY, "L8-no-agreement"),
    Case("who they are goes to everybody who cares", NADIA, item(SURGERY, "demographics"), WARD, PERMIT, "L8-agreement"),
    Case("an agreement for one purpose is none for another", staff("nadia", "ETREAT"), item(NORTH, "services"), WARD, DENY, "L8-no-agreement"),
    Case("in an emergency too, what is agreed for it is shared", staff("nadia", "ETREAT"), item(NORTH, "demographics"), WARD, PERMIT, "L8-agreement"),
    Case("an agreement for another role is none", staff("tom", role="nurse"), item(HOSPITAL, "problems"), PRACTICE, DENY, "L8-no-agreement"),
    Case("a council shares with another council only who they are", GWEN, item(NORTH, "services"), facts(related("caseload", SOUTH, user="gwen")), DENY, "L8-no-agreement"),
    Case("one's own organisation's record needs no agreement", SAM, item(NORTH, "assessments"), HIS, PERMIT, "L8-own-organisation"),
    Case("of whatever kind it is", NADIA, item(HOSPITAL, "mental-health", "MH"), WARD, PERMIT, "L8-own-organisation"),
)  # fmt: skip

PURPOSE = (
    Case("a lead who watches over the record sees no single one of it", IRIS, item(SURGERY, "problems"), facts(related("referral", BOARD)), DENY, "L10-purpose"),
    Case("nor is she involved with anybody by her role", IRIS, item(SURGERY, "problems"), NOBODY, DENY, "L9-no-relationship"),
    Case("planning opens not even one's own organisation's record", IRIS, item(BOARD, "demographics"), facts(related("referral", BOARD)), DENY, "L10-purpose"),
    Case("a purpose that the role may not ask for opens nothing", staff("nadia", "CAREMGT"), item(HOSPITAL, "problems"), WARD, DENY, "L10-purpose"),
    Case("a role that the place does not know opens nothing", replace(NADIA, role="inspector"), item(HOSPITAL, "problems"), WARD, DENY, "L10-purpose"),
)  # fmt: skip

SENSITIVE = (
    Case("a sensitivity that no agreement names is not shared", SAM, item(SURGERY, "problems", "HIV"), HIS, DENY, "L5-sensitive"),
    Case("one that the agreement names is", TOM, item(HOSPITAL, "problems", "ETH"), PRACTICE, PERMIT, "L8-agreement"),
    Case("two of which it names both are", TOM, item(HOSPITAL, "problems", "MH", "ETH"), PRACTICE, PERMIT, "L8-agreement"),
    Case("two of which it names one are not", TOM, item(HOSPITAL, "problems", "MH", "HIV"), PRACTICE, DENY, "L5-sensitive"),
    Case("what the source marks restricted without a reason needs naming too", SAM, item(SURGERY, "problems", "RESTRICTED"), HIS, DENY, "L5-sensitive"),
    Case("who they are can be sensitive as well", SAM, item(SURGERY, "demographics", "SDV"), HIS, DENY, "L5-sensitive"),
    Case("what is agreed for documents is not agreed for problems", SAM, item(HOSPITAL, "problems", "SAFEGUARDING"), HIS, DENY, "L5-sensitive"),
    Case("but for documents", SAM, item(HOSPITAL, "documents", "SAFEGUARDING"), HIS, PERMIT, "L8-agreement"),
    Case("what the person should not be shown is for workers to see", SAM, item(SURGERY, "problems", "NOPAT"), HIS, PERMIT, "L8-agreement"),
    Case("a sensitive item of a kind that is not shared at all", SAM, item(SURGERY, "documents", "HIV"), HIS, DENY, "L8-no-agreement"),
)  # fmt: skip

LEGAL = (
    Case("what the law restricts is shared by no agreement, though one names it", TOM, item(HOSPITAL, "problems", "LEGAL"), PRACTICE, DENY, "L1-legal"),
    Case("nor seen within one's own organisation", SAM, item(NORTH, "services", "LEGAL"), HIS, DENY, "L1-legal"),
    Case("nor by a stranger", SAM, item(NORTH, "services", "LEGAL"), NOBODY, DENY, "L1-legal"),
    Case("nor on the person's own page", ANN_HERSELF, item(NORTH, "services", "LEGAL"), NOBODY, DENY, "L1-legal"),
    Case("the law comes before every other reason to keep it back", SAM, item(SURGERY, "documents", "LEGAL", "HIV"), also(NOBODY, objects()), DENY, "L1-legal"),
)  # fmt: skip

OWN = (
    Case("a person sees their own record, whoever holds it", ANN_HERSELF, item(SURGERY, "problems"), NOBODY, PERMIT, "L2-own-record"),
    Case("also what is sensitive to others", ANN_HERSELF, item(HOSPITAL, "mental-health", "MH", "HIV"), NOBODY, PERMIT, "L2-own-record"),
    Case("also what they objected to being shared", ANN_HERSELF, item(SURGERY, "problems"), facts(objects()), PERMIT, "L2-own-record"),
    Case("also where they live, though they are restricted", ANN_HERSELF, item(SURGERY, "demographics", locating=True), facts(restricted=True), PERMIT, "L2-own-record"),
    Case("but not what tells of somebody else", ANN_HERSELF, item(NORTH, "assessments", "THIRD-PARTY"), NOBODY, DENY, "L2-own-record-less"),
    Case("nor of domestic abuse, which someone may make them show", ANN_HERSELF, item(SURGERY, "problems", "SDV"), NOBODY, DENY, "L2-own-record-less"),
    Case("nor of a safeguarding enquiry", ANN_HERSELF, item(NORTH, "safeguarding", "SAFEGUARDING"), NOBODY, DENY, "L2-own-record-less"),
    Case("nor what a clinician keeps from them", ANN_HERSELF, item(SURGERY, "problems", "NOPAT"), NOBODY, DENY, "L2-own-record-less"),
    Case("a person sees nobody else's record", ANN_HERSELF, item(SURGERY, "problems", of=BOB), NOBODY, DENY, "L2-not-own-record"),
    Case("a user without a record of their own sees none by that", replace(SAM, organisation=Ods(""), role="person", purpose="PATRQT"), item(SURGERY, "problems"), NOBODY, DENY, "L8-no-agreement"),
)  # fmt: skip

OBJECTION = (
    Case("an objection to everything hides what others hold", SAM, item(SURGERY, "problems"), also(HIS, objects()), DENY, "L7-objection"),
    Case("one to the worker's organisation too", SAM, item(SURGERY, "problems"), also(HIS, objects(to=NORTH)), DENY, "L7-objection"),
    Case("one to another organisation does not", SAM, item(SURGERY, "problems"), also(HIS, objects(to=SOUTH)), PERMIT, "L8-agreement"),
    Case("one to this kind of information hides it", SAM, item(SURGERY, "problems"), also(HIS, objects(category="problems")), DENY, "L7-objection"),
    Case("and no other kind", SAM, item(SURGERY, "medicines"), also(HIS, objects(category="problems")), PERMIT, "L8-agreement"),
    Case("one to one kind at one organisation hides just that", SAM, item(SURGERY, "problems"), also(HIS, objects(NORTH, "problems")), DENY, "L7-objection"),
    Case("not that kind at another", SAM, item(SURGERY, "problems"), also(HIS, objects(SOUTH, "problems")), PERMIT, "L8-agreement"),
    Case("one that has ended hides nothing", SAM, item(SURGERY, "problems"), also(HIS, objects(ends=NOW - DAY)), PERMIT, "L8-agreement"),
    Case("it has ended at the moment of its end", SAM, item(SURGERY, "problems"), also(HIS, objects(ends=NOW)), PERMIT, "L8-agreement"),
    Case("one that has not begun hides nothing yet", SAM, item(SURGERY, "problems"), also(HIS, objects(starts=NOW + DAY)), PERMIT, "L8-agreement"),
    Case("it hides from the moment of its beginning", SAM, item(SURGERY, "problems"), also(HIS, objects(starts=NOW)), DENY, "L7-objection"),
    Case("a consent that can't be read exactly hides everything", SAM, item(SURGERY, "problems"), also(HIS, objects(rule="L7-objection-unclear")), DENY, "L7-objection-unclear"),
    Case("a permission widens nothing", LENA, item(SURGERY, "problems"), also(NOBODY, objects(effect="permit")), DENY, "L9-no-relationship"),
    Case("nor does it hide anything", SAM, item(SURGERY, "problems"), also(HIS, objects(effect="permit")), PERMIT, "L8-agreement"),
    Case("an objection to sharing keeps nobody from what their organisation itself wrote", SAM, item(NORTH, "assessments"), also(HIS, objects()), PERMIT, "L8-own-organisation"),
    Case("who they are is hidden as well, but for what one's own organisation knows", NADIA, item(SURGERY, "demographics"), also(WARD, objects()), DENY, "L7-objection"),
)  # fmt: skip

RESTRICTED = (
    Case("of a restricted person what locates is taken out", SAM, item(SURGERY, "demographics", locating=True), also(HIS, restricted=True), REDACT, "L3-restricted"),
    Case("also of what one's own organisation holds", SAM, item(NORTH, "demographics", locating=True), also(HIS, restricted=True), REDACT, "L3-restricted"),
    Case("what locates nobody is shown whole", SAM, item(SURGERY, "problems"), also(HIS, restricted=True), PERMIT, "L8-agreement"),
    Case("a role that may know where they are sees all of it", TOM, item(HOSPITAL, "demographics", locating=True), also(PRACTICE, restricted=True), PERMIT, "L8-agreement"),
    Case("but not for a purpose that the role may not ask for", staff("tom", "CAREMGT"), item(SURGERY, "demographics", locating=True), also(PRACTICE, restricted=True), DENY, "L10-purpose"),
    Case("of everybody else it is shown", SAM, item(SURGERY, "demographics", locating=True), HIS, PERMIT, "L8-agreement"),
    Case("what is not seen at all is not seen redacted", LENA, item(SURGERY, "demographics", locating=True), also(HIS, restricted=True), DENY, "L9-no-relationship"),
)  # fmt: skip

NOBODYS = (
    Case("organisations and workers are known to everybody who is signed in", SAM, item(SURGERY, "directory", of=None), NOBODY, PERMIT, "L0-directory"),
    Case("also to the person", ANN_HERSELF, item(SURGERY, "directory", of=None), NOBODY, PERMIT, "L0-directory"),
    Case("also to the lead", IRIS, item(SURGERY, "directory", of=None), NOBODY, PERMIT, "L0-directory"),
    Case("what is about somebody, nobody knows whom, is seen by nobody", SAM, item(NORTH, "problems", of=None), HIS, DENY, "L0-unlinked"),
    Case("not by the person either", ANN_HERSELF, item(NORTH, "problems", of=None), NOBODY, DENY, "L0-unlinked"),
    Case("an entry of a directory that is about a person is of that person", SAM, item(SURGERY, "directory"), HIS, DENY, "L8-no-agreement"),
)  # fmt: skip

# Where two rules apply, the one that stands higher is the one that is told.
PRECEDENCE = (
    Case("the law before the sensitivity", SAM, item(SURGERY, "problems", "LEGAL", "HIV"), HIS, DENY, "L1-legal"),
    Case("the law before another's record", ANN_HERSELF, item(SURGERY, "problems", "LEGAL", of=BOB), NOBODY, DENY, "L1-legal"),
    Case("the sensitivity before the objection", SAM, item(SURGERY, "problems", "HIV"), also(HIS, objects()), DENY, "L5-sensitive"),
    Case("the sensitivity before the missing relationship", LENA, item(SURGERY, "problems", "HIV"), NOBODY, DENY, "L5-sensitive"),
    Case("the objection before the missing agreement", SAM, item(SURGERY, "documents"), also(HIS, objects()), DENY, "L7-objection"),
    Case("the objection before the missing relationship", LENA, item(SURGERY, "problems"), also(NOBODY, objects()), DENY, "L7-objection"),
    Case("the missing agreement before the missing relationship", LENA, item(SURGERY, "documents"), NOBODY, DENY, "L8-no-agreement"),
    Case("the missing relationship before the purpose", staff("nadia", "CAREMGT"), item(HOSPITAL, "problems"), NOBODY, DENY, "L9-no-relationship"),
    Case("an objection in force before one that is over", SAM, item(SURGERY, "problems"), also(HIS, objects(ends=NOW - DAY), objects(rule="L7-objection-unclear")), DENY, "L7-objection-unclear"),
)  # fmt: skip

CASES = (
    *RELATIONSHIP,
    *AGREEMENT,
    *PURPOSE,
    *SENSITIVE,
    *LEGAL,
    *OWN,
    *OBJECTION,
    *RESTRICTED,
    *NOBODYS,
    *PRECEDENCE,
)
