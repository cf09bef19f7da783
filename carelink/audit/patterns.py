"""Patterns in the audit that are worth a look, as data: each a rule with its reason, none a proof of anything.

All are asked of the same looks in one statement (`signals.py`), so a rule is a `select` over what stands there:
`raw` (each look at one person), `looked` (the same by user, person and day), `worker` (the staff of the place) and
`mine` (what the record knows of a worker who is a patient too). It gives user, organisation, person, day, count, detail.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pattern:
    """`label` heads the list, `because` says why it is worth a look and why it may be quite right."""

    id: str
    label: str
    because: str
    sql: str


# Whether the record of person {p} is that of worker {w}, as far as it can be told: by NHS number, else by the whole name.
_IS = """exists (select from person_trait t where t.person = {p}.person and (
    ({w}.nhs_number <> '' and t.nhs_number = {w}.nhs_number)
    or ({w}.family <> '' and t.family = {w}.family and split_part(t.given, ' ', 1) = {w}.given)))"""
_ALLOCATED = """exists (select from relationship r where r.person = l.person and r.organisation = l.organisation
    and r.kind = 'caseload' and r.starts <= l.last and (r.ends is null or r.ends > l.first) {whose})"""
_LOOKED = """select l."user", l.organisation, l.person, l.day, l.looks as count, null::jsonb as detail from looked l
    join worker w using ("user")"""


def _of_worker(condition: str) -> str:
    return f"{_LOOKED} where {condition}"


OWN_RECORD = Pattern(
    "own-record",
    "Perhaps their own record",
    "The worker and the person have the same NHS number, or the same name. People see their own record on their own "
    "page, not as staff. It may be quite right: two people can share a name.",
    _of_worker(_IS.format(p="l", w="w")),
)
SAME_SURNAME = Pattern(
    "same-surname",
    "The same family name",
    "The worker has the family name of the person: perhaps a relative. It may be quite right: many names are common.",
    _of_worker(
        """w.family <> '' and exists (select from person_trait t where t.person = l.person and t.family = w.family)
    and not """
        + _IS.format(p="l", w="w")
    ),
)
SAME_ADDRESS = Pattern(
    "same-address",
    "The same address",
    "The worker, who is in the record as a patient too, lives where the person lives. It may be quite right: "
    "neighbours share a building, and somebody may have moved.",
    """select l."user", l.organisation, l.person, l.day, l.looks, null::jsonb from looked l
    where exists (select from mine m join person_trait t on t.person = l.person
      and t.postcode = m.postcode and t.address = m.address
      where m."user" = l."user" and m.person <> l.person and m.address <> '' and m.postcode <> '')""",
)
NO_CASELOAD_LINK = Pattern(
    "no-caseload-link",
    "On somebody else's caseload",
    "The person is allocated at this organisation, to another worker and another team. It may be quite right: cover "
    "for a colleague, a duty call, an allocation that was entered late.",
    _of_worker(
        "not w.on_duty and "
        + _ALLOCATED.format(whose="")
        + " and not "
        + _ALLOCATED.format(
            whose='and (r."user" = l."user" or (r."user" is null and (r.team is null or r.team = w.team)))'
        )
    ),
)
MANY_PEOPLE = Pattern(
    "many-people",
    "Many people in a short time",
    "The worker opened more records in a short time than this place expects. It may be quite right: a ward round, a "
    "review of a caseload, a clinic.",
    """select "user", organisation, null::uuid, day, max(people)::int, jsonb_build_object('minutes', cast(:many_minutes as int))
    from (select "user", organisation, day, count(distinct person) as people from raw
      group by "user", organisation, day, floor(extract(epoch from at) / (:many_minutes * 60))) parts
    where people >= :many_people group by "user", organisation, day""",
)
VIP = Pattern(
    "vip",
    "Somebody whom curiosity may draw",
    "The person carries an alert that this place gives to people who are well known. It may be quite right: they need "
    "care like everybody.",
    r"""select l."user", l.organisation, l.person, l.day, l.looks, null::jsonb from looked l
    where exists (select from index_token x join resource f on f.key = x.key
      join jsonb_to_recordset(cast(:vip as jsonb)) as v(system text, code text) on v.system = x.system and v.code = x.code
      where x.person = l.person and x.parameter = :code_parameter and f.type = 'Flag' and not f.deleted
        and replace(f.body, '\u0000', '\ufffd')::jsonb ->> 'status' = 'active')""",  # NUL: jsonb refuses it
)
COLLEAGUE = Pattern(
    "colleague",
    "Perhaps a colleague",
    "The person seems to work at the worker's own organisation: the same NHS number, or the same name as one of its "
    "staff. It may be quite right: colleagues are patients too, and names are shared.",
    _of_worker(
        """exists (select from worker c where c.organisation = l.organisation and c."user" <> l."user" and """
        + _IS.format(p="l", w="c")
        + ") and not "
        + _IS.format(p="l", w="w")
    ),
)
OUTSIDE_HOURS = Pattern(
    "outside-hours",
    "Outside working hours",
    "The worker's role works by day, and this was at night or at a weekend. It may be quite right: an emergency, or "
    "late paperwork.",
    """select l."user", l.organisation, l.person, l.day, l.at_night, null::jsonb from looked l
    join worker w using ("user") where l.at_night > 0 and w.by_day and not w.on_duty""",
)

ALL = (
    OWN_RECORD,
    SAME_ADDRESS,
    SAME_SURNAME,
    COLLEAGUE,
    VIP,
    NO_CASELOAD_LINK,
    MANY_PEOPLE,
    OUTSIDE_HOURS,
)
BY_ID = {one.id: one for one in ALL}
