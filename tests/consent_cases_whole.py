"""The rest of the decision table: consents and their exceptions, broken glass, enquiries, the law, scopes and duty.

Reads on from tests/consent_cases.py. The places that these stand on are in tests/consent_policies.py.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from conftest import NOW
from consent_builders import (
    ANN,
    BOARD,
    DAY,
    HOSPITAL,
    NORTH,
    SOUTH,
    SURGERY,
    barred,
    broke_glass,
    facts,
    item,
    objects,
    related,
    says,
    staff,
)
from consent_cases import (
    ANN_HERSELF,
    DENY,
    GWEN,
    HIS,
    IRIS,
    LENA,
    NADIA,
    NOBODY,
    PERMIT,
    PRACTICE,
    REDACT,
    SAM,
    TEAMS,
    TOM,
    WARD,
    Case,
    also,
)
from consent_cases import CASES as FIRST
from consent_policies import ASKING, GIVING, SHUT, STRICT

DIABETES = ("http://snomed.info/sct", "73211009")
STAY = UUID("0f3c1d6e-6a1b-5c1e-9b53-3c1f5b1f7a10")
THEN = datetime(2024, 6, 1, tzinfo=UTC)
IN_2024 = {"since": datetime(2024, 1, 1, tzinfo=UTC), "until": datetime(2025, 1, 1, tzinfo=UTC)}
ENQUIRER = staff("sam", "SAFEGUARDING")
PROBLEMS, SERVICES = item(SURGERY, "problems"), item(NORTH, "services")
HIV = item(SURGERY, "problems", "HIV")
ENQUIRY = item(NORTH, "safeguarding", "SAFEGUARDING")
ORDER = item(NORTH, "legal")
HOME = item(NORTH, "demographics", locating=True)
GAMBLING = replace(PROBLEMS, sensitivities=1 << 15)  # number 1 of the place
BEFORE, AFTER = NOW - DAY * 90, NOW - DAY * 30

CONSENT = (
    Case("a consent may deny a role", SAM, PROBLEMS, also(HIS, says("deny", role="social-worker")), DENY, "L6-consent-deny"),
    Case("and say nothing to another", SAM, PROBLEMS, also(HIS, says("deny", role="nurse")), PERMIT, "L8-agreement"),
    Case("a kind of organisation", SAM, PROBLEMS, also(HIS, says("deny", organisation_type="council")), DENY, "L6-consent-deny"),
    Case("a team", SAM, PROBLEMS, also(HIS, says("deny", organisation=NORTH, team="adults-north")), DENY, "L6-consent-deny"),
    Case("not the team of that name elsewhere", SAM, PROBLEMS, also(HIS, says("deny", organisation=SOUTH, team="adults-north")), PERMIT, "L8-agreement"),
    Case("one worker", SAM, PROBLEMS, also(HIS, says("deny", user="sam")), DENY, "L6-consent-deny"),
    Case("not their colleague", SAM, PROBLEMS, also(HIS, says("deny", user="lena")), PERMIT, "L8-agreement"),
    Case("a purpose", SAM, PROBLEMS, also(HIS, says("deny", purposes={"CAREMGT"})), DENY, "L6-consent-deny"),
    Case("not another", SAM, PROBLEMS, also(HIS, says("deny", purposes={"TREAT"})), PERMIT, "L8-agreement"),
    Case("what comes from one organisation", SAM, PROBLEMS, also(HIS, says("deny", custodians={SURGERY})), DENY, "L6-consent-deny"),
    Case("not what comes from another", SAM, item(HOSPITAL, "problems"), also(HIS, says("deny", custodians={SURGERY})), PERMIT, "L8-agreement"),
    Case("one type of resource", SAM, PROBLEMS, also(HIS, says("deny", types={"Condition"})), DENY, "L6-consent-deny"),
    Case("not another type", SAM, PROBLEMS, also(HIS, says("deny", types={"Observation"})), PERMIT, "L8-agreement"),
    Case("what has a label", TOM, item(HOSPITAL, "problems", "MH"), also(PRACTICE, says("deny", sensitivities=64)), DENY, "L6-consent-deny"),
    Case("not what has none of it", TOM, item(HOSPITAL, "problems", "ETH"), also(PRACTICE, says("deny", sensitivities=64)), PERMIT, "L8-agreement"),
    Case("what is coded so", SAM, item(SURGERY, "problems", codes=frozenset({DIABETES})), also(HIS, says("deny", codes={DIABETES})), DENY, "L6-consent-deny"),
    Case("not what is coded otherwise", SAM, PROBLEMS, also(HIS, says("deny", codes={DIABETES})), PERMIT, "L8-agreement"),
    Case("nor the same code of another system", SAM, item(SURGERY, "problems", codes=frozenset({("http://read.info/readv2", "73211009")})), also(HIS, says("deny", codes={DIABETES})), PERMIT, "L8-agreement"),
    Case("one item", SAM, item(SURGERY, "problems", key=STAY), also(HIS, says("deny", items={STAY})), DENY, "L6-consent-deny"),
    Case("not its neighbour", SAM, PROBLEMS, also(HIS, says("deny", items={STAY})), PERMIT, "L8-agreement"),
    Case("what happened in a year", SAM, item(SURGERY, "problems", clinical=THEN), also(HIS, says("deny", **IN_2024)), DENY, "L6-consent-deny"),
    Case("not what happened before", SAM, item(SURGERY, "problems", clinical=THEN.replace(year=2023)), also(HIS, says("deny", **IN_2024)), PERMIT, "L8-agreement"),
    Case("nor from its last moment on", SAM, item(SURGERY, "problems", clinical=IN_2024["until"]), also(HIS, says("deny", **IN_2024)), PERMIT, "L8-agreement"),
    Case("of what says no date it denies, for it may be of that year", SAM, PROBLEMS, also(HIS, says("deny", **IN_2024)), DENY, "L6-consent-deny"),
    Case("a provision that is over denies nothing", SAM, PROBLEMS, also(HIS, says("deny", role="social-worker", ends=NOW)), PERMIT, "L8-agreement"),
    Case("all conditions must hold", SAM, PROBLEMS, also(HIS, says("deny", role="social-worker", purposes={"TREAT"})), PERMIT, "L8-agreement"),
    Case("a consent keeps nobody from what their own organisation holds", SAM, SERVICES, also(HIS, says("deny", role="social-worker")), PERMIT, "L8-own-organisation"),
)  # fmt: skip

EXCEPTIONS = (
    Case("everybody is denied but one council", SAM, PROBLEMS, also(HIS, says("deny"), says("permit", depth=1, organisation=NORTH)), PERMIT, "L8-agreement"),
    Case("and the other council is not that one", GWEN, PROBLEMS, also(facts(related("caseload", SOUTH)), says("deny"), says("permit", depth=1, organisation=NORTH)), DENY, "L7-objection"),
    Case("an exception to the exception", SAM, PROBLEMS, also(HIS, says("deny"), says("permit", depth=1, organisation=NORTH), says("deny", depth=2, role="social-worker")), DENY, "L6-consent-deny"),
    Case("at one depth denial wins", SAM, PROBLEMS, also(HIS, says("permit", depth=1, organisation=NORTH), says("deny", depth=1, role="social-worker")), DENY, "L6-consent-deny"),
    Case("everybody is permitted but one", SAM, PROBLEMS, also(HIS, says("permit"), says("deny", depth=1, organisation=NORTH)), DENY, "L7-objection"),
    Case("an exception that is over leaves the rule", SAM, PROBLEMS, also(HIS, says("deny"), says("permit", depth=1, organisation=NORTH, ends=NOW)), DENY, "L7-objection"),
    Case("the exception of one consent is none to another", SAM, PROBLEMS, also(HIS, says("deny", consent="one", made=AFTER), says("permit", consent="two", depth=1, organisation=NORTH, made=BEFORE)), DENY, "L7-objection"),
    Case("a later permission to this council outweighs a plain objection", SAM, PROBLEMS, also(HIS, says("deny", consent="one", made=BEFORE), says("permit", consent="two", organisation=NORTH, made=AFTER)), PERMIT, "L6-consent-permit"),
    Case("not one of the same day", SAM, PROBLEMS, also(HIS, says("deny", consent="one", made=AFTER), says("permit", consent="two", organisation=NORTH, made=AFTER)), DENY, "L7-objection"),
    Case("not one that says no day", SAM, PROBLEMS, also(HIS, says("deny", consent="one", made=BEFORE), says("permit", consent="two", organisation=NORTH)), DENY, "L7-objection"),
    Case("nor one to whom it may concern", SAM, PROBLEMS, also(HIS, says("deny", consent="one", made=BEFORE), says("permit", consent="two", made=AFTER)), DENY, "L7-objection"),
    Case("an objection that says no day is outweighed by none", SAM, PROBLEMS, also(HIS, says("deny", consent="one"), says("permit", consent="two", organisation=NORTH, made=AFTER)), DENY, "L7-objection"),
    Case("nor is a denial that is more than an objection", SAM, PROBLEMS, also(HIS, says("deny", consent="one", role="social-worker", made=BEFORE), says("permit", consent="two", organisation=NORTH, made=AFTER)), DENY, "L6-consent-deny"),
    Case("of two objections the later one counts", SAM, PROBLEMS, also(HIS, says("deny", consent="one", made=BEFORE), says("deny", consent="three", made=NOW), says("permit", consent="two", organisation=NORTH, made=AFTER)), DENY, "L7-objection"),
)  # fmt: skip

PERMISSION = (
    Case("a permission that names its recipient stands for an agreement where the place says so", SAM, item(SURGERY, "documents"), also(HIS, says("permit", organisation=NORTH)), PERMIT, "L6-consent-permit", GIVING),
    Case("nowhere else", SAM, item(SURGERY, "documents"), also(HIS, says("permit", organisation=NORTH)), DENY, "L8-no-agreement", STRICT),
    Case("it stands for a relationship too", GWEN, PROBLEMS, facts(says("permit", organisation=SOUTH)), PERMIT, "L6-consent-permit", GIVING),
    Case("where the place says so", GWEN, PROBLEMS, facts(says("permit", organisation=SOUTH)), DENY, "L9-no-relationship", STRICT),
    Case("one to whom it may concern stands for nothing", GWEN, PROBLEMS, facts(says("permit")), DENY, "L9-no-relationship", GIVING),
    Case("nor does one to a role", GWEN, PROBLEMS, facts(says("permit", role="social-worker")), DENY, "L9-no-relationship", GIVING),
    Case("one to a worker does", LENA, PROBLEMS, facts(says("permit", user="lena")), PERMIT, "L6-consent-permit", GIVING),
    Case("it names no sensitivity that no agreement names", SAM, item(SURGERY, "documents", "HIV"), also(HIS, says("permit", organisation=NORTH)), DENY, "L5-sensitive", GIVING),
    Case("it opens nothing for planning", IRIS, PROBLEMS, facts(says("permit", organisation=BOARD)), DENY, "L10-purpose", GIVING),
    Case("an exception to a denial stands for no agreement", SAM, item(SURGERY, "documents"), also(HIS, says("deny"), says("permit", depth=1, organisation=NORTH)), DENY, "L8-no-agreement", GIVING),
    Case("nor for a relationship", GWEN, PROBLEMS, facts(says("deny"), says("permit", depth=1, organisation=SOUTH)), DENY, "L9-no-relationship", GIVING),
    Case("nor does it outweigh the objection of another day", SAM, PROBLEMS, also(HIS, says("deny", consent="one", made=BEFORE), says("deny", consent="two", made=AFTER), says("permit", consent="two", depth=1, organisation=NORTH, made=AFTER)), DENY, "L7-objection", GIVING),
    Case("it is leave to look, where people are asked first", SAM, PROBLEMS, also(HIS, says("deny"), says("permit", depth=1, organisation=NORTH)), PERMIT, "L8-agreement", ASKING),
    Case("what was denied within it stays so", SAM, item(SURGERY, "documents"), also(HIS, says("permit", organisation=NORTH), says("deny", depth=1, categories={"documents"})), DENY, "L7-objection", GIVING),
    Case("of what says no date a permission for a year does not speak", GWEN, PROBLEMS, facts(says("permit", organisation=SOUTH, **IN_2024)), DENY, "L9-no-relationship", GIVING),
    Case("of that year it does", GWEN, item(SURGERY, "problems", clinical=THEN), facts(says("permit", organisation=SOUTH, **IN_2024)), PERMIT, "L6-consent-permit", GIVING),
)  # fmt: skip

NEEDED = (
    Case("what the pack shares by consent alone is not shared without one", SAM, HIV, HIS, DENY, "L5-consent-needed", GIVING),
    Case("it is with one that names it", SAM, HIV, also(HIS, says("permit", sensitivities=2)), PERMIT, "L8-agreement", GIVING),
    Case("a permission of everything names nothing", SAM, HIV, also(HIS, says("permit")), DENY, "L5-consent-needed", GIVING),
    Case("of two it must name both", SAM, item(SURGERY, "problems", "HIV", "STD"), also(HIS, says("permit", sensitivities=2)), DENY, "L5-consent-needed", GIVING),
    Case("two permissions may name one each", SAM, item(SURGERY, "problems", "HIV", "STD"), also(HIS, says("permit", consent="a", sensitivities=2), says("permit", consent="b", sensitivities=4)), PERMIT, "L8-agreement", GIVING),
    Case("one to another council is none", SAM, HIV, also(HIS, says("permit", organisation=SOUTH, sensitivities=2)), DENY, "L5-consent-needed", GIVING),
    Case("one that was withdrawn within it is none", SAM, HIV, also(HIS, says("permit", sensitivities=2), says("deny", depth=1, sensitivities=2)), DENY, "L5-consent-needed", GIVING),
    Case("consent to it needs an agreement as well", NADIA, HIV, also(WARD, says("permit", sensitivities=2)), DENY, "L8-no-agreement", STRICT),
    Case("one's own organisation's record needs none", TOM, HIV, PRACTICE, PERMIT, "L8-own-organisation", GIVING),
    Case("no glass opens it", SAM, HIV, also(HIS, broke_glass("sam", NORTH)), DENY, "L5-consent-needed", GIVING),
    Case("a sensitivity of the place's own is named like any other", SAM, GAMBLING, HIS, PERMIT, "L8-agreement", GIVING),
    Case("or it is not shared", SAM, replace(GAMBLING, custodian=HOSPITAL), HIS, DENY, "L5-sensitive", GIVING),
    Case("nor in a place that does not know it", SAM, GAMBLING, HIS, DENY, "L5-sensitive"),
    Case("the place may hide it from the person's own page", ANN_HERSELF, GAMBLING, NOBODY, DENY, "L2-own-record-less", GIVING),
)  # fmt: skip

GLASS = (
    Case("broken glass opens what is agreed to a stranger", LENA, PROBLEMS, facts(broke_glass("lena", NORTH)), PERMIT, "L9-break-glass", STRICT),
    Case("for that user alone", SAM, PROBLEMS, facts(broke_glass("lena", NORTH)), DENY, "L9-no-relationship", STRICT),
    Case("in that organisation alone", staff("lena", organisation=SOUTH), PROBLEMS, facts(broke_glass("lena", NORTH)), DENY, "L9-no-relationship", STRICT),
    Case("until it closes", LENA, PROBLEMS, facts(broke_glass("lena", NORTH, ends=NOW)), DENY, "L9-no-relationship", STRICT),
    Case("one's own organisation's record too", LENA, SERVICES, facts(broke_glass("lena", NORTH)), PERMIT, "L9-break-glass", STRICT),
    Case("not what no agreement shares", LENA, item(SURGERY, "documents"), facts(broke_glass("lena", NORTH)), DENY, "L8-no-agreement", STRICT),
    Case("not a sensitivity that none names", NADIA, item(NORTH, "services", "MH"), facts(broke_glass("nadia", HOSPITAL)), DENY, "L5-sensitive", GIVING),
    Case("it opens an objection where the place says so", SAM, PROBLEMS, also(HIS, objects(), broke_glass("sam", NORTH)), PERMIT, "L7-break-glass", GIVING),
    Case("also one that can't be read", SAM, PROBLEMS, also(HIS, objects(rule="L7-objection-unclear"), broke_glass("sam", NORTH)), PERMIT, "L7-break-glass", GIVING),
    Case("and leaves it shut where it does not", SAM, PROBLEMS, also(HIS, objects(), broke_glass("sam", NORTH)), DENY, "L7-objection", STRICT),
    Case("it opens no denial that is more than an objection", SAM, PROBLEMS, also(HIS, says("deny", role="social-worker"), broke_glass("sam", NORTH)), DENY, "L6-consent-deny", GIVING),
    Case("it opens nothing where there is no glass", LENA, PROBLEMS, facts(broke_glass("lena", NORTH)), DENY, "L9-no-relationship", SHUT),
    Case("an objection holds there whatever happens", SAM, PROBLEMS, also(HIS, objects(), broke_glass("sam", NORTH)), DENY, "L7-objection", SHUT),
    Case("it opens nothing to a role that may not break it", IRIS, PROBLEMS, facts(broke_glass("iris", BOARD)), DENY, "L9-no-relationship", GIVING),
    Case("it does not open where a restricted person is", LENA, HOME, also(facts(broke_glass("lena", NORTH)), restricted=True), REDACT, "L3-restricted", STRICT),
    Case("who is involved needs no glass", SAM, PROBLEMS, also(HIS, broke_glass("sam", NORTH)), PERMIT, "L8-agreement", GIVING),
)  # fmt: skip

ASKED = (
    Case("where people are asked first, nobody looks without having asked", SAM, PROBLEMS, HIS, DENY, "L7-not-asked", ASKING),
    Case("having asked they do", SAM, PROBLEMS, also(HIS, says("permit", organisation=NORTH)), PERMIT, "L8-agreement", ASKING),
    Case("leave to another council is none", SAM, PROBLEMS, also(HIS, says("permit", organisation=SOUTH)), DENY, "L7-not-asked", ASKING),
    Case("leave that is over is none", SAM, PROBLEMS, also(HIS, says("permit", organisation=NORTH, ends=NOW)), DENY, "L7-not-asked", ASKING),
    Case("who can't ask breaks the glass", SAM, PROBLEMS, also(HIS, broke_glass("sam", NORTH)), PERMIT, "L7-break-glass", ASKING),
    Case("a stranger too", LENA, PROBLEMS, facts(broke_glass("lena", NORTH)), PERMIT, "L9-break-glass", ASKING),
    Case("an objection is not got over by that", SAM, PROBLEMS, also(HIS, objects(), broke_glass("sam", NORTH)), DENY, "L7-objection", ASKING),
    Case("for one's own organisation's record nobody asks", SAM, SERVICES, HIS, PERMIT, "L8-own-organisation", ASKING),
    Case("the person needs no leave", ANN_HERSELF, PROBLEMS, NOBODY, PERMIT, "L2-own-record", ASKING),
)  # fmt: skip

HARM = (
    Case("who looks into what happened sees the enquiry", SAM, ENQUIRY, HIS, PERMIT, "L8-own-organisation", GIVING),
    Case("the alleged source of harm does not, though they work there", SAM, ENQUIRY, also(HIS, barred("enquiry", user="sam")), DENY, "L4-source-of-harm", GIVING),
    Case("nor anything else that tells of it", SAM, item(SURGERY, "problems", "SAFEGUARDING"), also(HIS, barred("enquiry", user="sam")), DENY, "L4-source-of-harm", GIVING),
    Case("the rest of the record they go on with", SAM, SERVICES, also(HIS, barred("enquiry", user="sam")), PERMIT, "L8-own-organisation", GIVING),
    Case("an organisation may be the alleged source", NADIA, ENQUIRY, also(WARD, barred("enquiry", HOSPITAL)), DENY, "L4-source-of-harm", GIVING),
    Case("and another is not", SAM, ENQUIRY, also(HIS, barred("enquiry", HOSPITAL)), PERMIT, "L8-own-organisation", GIVING),
    Case("until it was found that they were not", SAM, ENQUIRY, also(HIS, barred("enquiry", user="sam", ends=NOW)), PERMIT, "L8-own-organisation", GIVING),
    Case("no glass opens an enquiry to them", SAM, ENQUIRY, also(HIS, barred("enquiry", user="sam"), broke_glass("sam", NORTH)), DENY, "L4-source-of-harm", GIVING),
    Case("nor does a permission", SAM, ENQUIRY, also(HIS, barred("enquiry", user="sam"), says("permit", user="sam", sensitivities=128)), DENY, "L4-source-of-harm", GIVING),
    Case("an enquiry keeps nobody from a court's order", SAM, ORDER, also(HIS, barred("enquiry", user="sam")), PERMIT, "L8-own-organisation", GIVING),
    Case("an order keeps whom it is against from itself", SAM, ORDER, also(HIS, barred("court-order", user="sam")), DENY, "L4-source-of-harm", GIVING),
    Case("and from an enquiry", SAM, ENQUIRY, also(HIS, barred("court-order", user="sam")), DENY, "L4-source-of-harm", GIVING),
    Case("and from where the person is", SAM, HOME, also(HIS, barred("court-order", user="sam")), REDACT, "L4-source-of-harm", GIVING),
    Case("an enquiry does not take out where they are", SAM, HOME, also(HIS, barred("enquiry", user="sam")), PERMIT, "L8-own-organisation", GIVING),
    Case("others know of the order", NADIA, ORDER, also(WARD, barred("court-order", user="sam")), PERMIT, "L8-agreement", GIVING),
    Case("the person is kept from their own record by neither", ANN_HERSELF, PROBLEMS, facts(barred("court-order", user=f"self-{ANN}")), PERMIT, "L2-own-record", GIVING),
)  # fmt: skip

LAW = (
    Case("a named role sees what the law restricts, of its own organisation", TOM, item(SURGERY, "problems", "LEGAL"), PRACTICE, PERMIT, "L8-own-organisation", GIVING),
    Case("of another where an agreement names it", TOM, item(HOSPITAL, "problems", "LEGAL"), PRACTICE, PERMIT, "L8-agreement", GIVING),
    Case("and where none does, not", TOM, item(HOSPITAL, "mental-health", "LEGAL"), PRACTICE, DENY, "L5-sensitive", GIVING),
    Case("not as a stranger", staff("ana"), item(HOSPITAL, "problems", "LEGAL"), PRACTICE, DENY, "L9-no-relationship", GIVING),
    Case("another role is not named", SAM, item(SURGERY, "problems", "LEGAL"), HIS, DENY, "L1-legal", GIVING),
    Case("by no broken glass", SAM, item(SURGERY, "problems", "LEGAL"), also(HIS, broke_glass("sam", NORTH)), DENY, "L1-legal", GIVING),
    Case("by no permission", SAM, item(SURGERY, "problems", "LEGAL"), also(HIS, says("permit", organisation=NORTH, sensitivities=512)), DENY, "L1-legal", GIVING),
    Case("in an enquiry the law overrides an objection", ENQUIRER, PROBLEMS, also(HIS, objects()), PERMIT, "L7-overridden", GIVING),
    Case("where the place says that it does", ENQUIRER, PROBLEMS, also(HIS, objects()), DENY, "L7-objection", STRICT),
    Case("not for another purpose", SAM, PROBLEMS, also(HIS, objects()), DENY, "L7-objection", GIVING),
    Case("not a denial that is more than an objection", ENQUIRER, PROBLEMS, also(HIS, says("deny", purposes={"SAFEGUARDING"})), DENY, "L6-consent-deny", GIVING),
    Case("and not to a stranger", staff("gwen", "SAFEGUARDING"), PROBLEMS, facts(objects()), DENY, "L9-no-relationship", GIVING),
)  # fmt: skip

DUTY = (
    Case("a team on duty stands in for another", LENA, PROBLEMS, TEAMS, PERMIT, "L8-agreement", GIVING),
    Case("for one worker's case too", LENA, PROBLEMS, HIS, PERMIT, "L8-agreement", GIVING),
    Case("not for what is nobody's case", LENA, PROBLEMS, facts(related("referral", NORTH, team="adults-north")), DENY, "L9-no-relationship", GIVING),
    Case("not for another council's", LENA, PROBLEMS, facts(related("caseload", SOUTH, team="adults-south")), DENY, "L9-no-relationship", GIVING),
    Case("a member of an MDT is involved", NADIA, SERVICES, facts(related("mdt", HOSPITAL, user="nadia")), PERMIT, "L8-agreement"),
    Case("their colleague is not", replace(NADIA, user="nat"), SERVICES, facts(related("mdt", HOSPITAL, user="nadia")), DENY, "L9-no-relationship"),
)  # fmt: skip

THIRD_PARTIES = (
    Case("of what somebody else told, the person is not told who", ANN_HERSELF, item(SURGERY, "problems", names_others=True), NOBODY, REDACT, "L2-own-record-redacted"),
    Case("what is about somebody else they are not shown at all", ANN_HERSELF, item(SURGERY, "problems", "THIRD-PARTY", names_others=True), NOBODY, DENY, "L2-own-record-less"),
    Case("a worker is told who said it", SAM, item(SURGERY, "problems", names_others=True), HIS, PERMIT, "L8-agreement"),
)  # fmt: skip

SCOPE = (
    Case("a token that names the type sees it", replace(SAM, types=frozenset({"Condition"})), PROBLEMS, HIS, PERMIT, "L8-agreement"),
    Case("one that does not sees nothing of it", replace(SAM, types=frozenset({"Patient"})), PROBLEMS, HIS, DENY, "L0-scope"),
    Case("not even a directory", replace(SAM, types=frozenset({"Patient"})), item(SURGERY, "directory", of=None, type_="Organization"), NOBODY, DENY, "L0-scope"),
    Case("one that names nothing sees nothing", replace(SAM, types=frozenset()), PROBLEMS, HIS, DENY, "L0-scope"),
    Case("the person's own app sees what it was let", replace(ANN_HERSELF, types=frozenset({"Condition"})), PROBLEMS, NOBODY, PERMIT, "L2-own-record"),
)  # fmt: skip

# Where two rules apply, the one that stands higher is the one that is told.
PRECEDENCE = (
    Case("the scope before the law", replace(SAM, types=frozenset()), item(SURGERY, "problems", "LEGAL"), HIS, DENY, "L0-scope"),
    Case("the law before the enquiry", SAM, item(NORTH, "safeguarding", "LEGAL"), also(HIS, barred("enquiry", user="sam")), DENY, "L1-legal", GIVING),
    Case("the enquiry before the sensitivity", NADIA, item(NORTH, "safeguarding", "SAFEGUARDING", "HIV"), also(WARD, barred("enquiry", user="nadia")), DENY, "L4-source-of-harm", GIVING),
    Case("the sensitivity before the consent", SAM, item(SURGERY, "problems", "ETH"), also(HIS, says("deny", role="social-worker")), DENY, "L5-sensitive", GIVING),
    Case("the consent that is needed before the one that denies", SAM, HIV, also(HIS, says("deny", role="social-worker")), DENY, "L5-consent-needed", GIVING),
    Case("a consent before an objection", SAM, PROBLEMS, also(HIS, says("deny", consent="one"), says("deny", consent="two", role="social-worker")), DENY, "L6-consent-deny"),
    Case("an objection before not having been asked", SAM, PROBLEMS, also(HIS, objects()), DENY, "L7-objection", ASKING),
    Case("not having been asked before the missing agreement", SAM, item(SURGERY, "documents"), HIS, DENY, "L7-not-asked", ASKING),
    Case("the missing agreement before broken glass", LENA, item(SURGERY, "documents"), facts(broke_glass("lena", NORTH)), DENY, "L8-no-agreement", GIVING),
)  # fmt: skip

CASES = (
    *FIRST,
    *CONSENT,
    *EXCEPTIONS,
    *PERMISSION,
    *NEEDED,
    *GLASS,
    *ASKED,
    *HARM,
    *LAW,
    *DUTY,
    *THIRD_PARTIES,
    *SCOPE,
    *PRECEDENCE,
)
