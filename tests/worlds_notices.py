"""What policy lets somebody learn of what they may not see: each notice with its rule, and exactly what it may depend on.

Where what a notice may depend on is the same in two worlds, the answers must be the same. Where it differs, only the
notice may (`cut`); or, where whole pages are made of it, nothing is asked of that answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from conftest import NOW
from sqlalchemy import Connection, func, not_, select
from worlds_asking import Who
from worlds_views import View, held, view

from carelink.audit.reading import MAY_READ
from carelink.audit.told import untold
from carelink.cases import breakglass, breakglass_review
from carelink.cases.consent_unclear import may_look
from carelink.cases.labelling import may_correct
from carelink.cases.oversight import MAY_SEE
from carelink.cases.whose import MAY_HANDLE
from carelink.consent.capacity_facts import minds_of, on_all_that_is_known
from carelink.consent.lens import MAY_DECIDE_LINKS, Lens
from carelink.consent.sensitivity import Sensitivity
from carelink.consent.view_as import MAY_VIEW_AS, lens_of
from carelink.consent.view_as import View as Viewed
from carelink.db import tables as t
from carelink.db.tables import metadata
from carelink.place import Place


@dataclass
class Known:
    """A world as a requester stands to it; read as far as it is asked for."""

    conn: Connection
    place: Place
    who: Who
    lens: Lens | None
    viewed: Viewed | None = None  # as whom they look
    seen: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def view(self) -> View:
        return view(self.conn, self.lens, self.held)

    @cached_property
    def held(self) -> Any:
        return held(self.conn, self.lens)

    def may(self, right: str) -> bool:
        return self.lens is not None and right in self.lens.may

    def told(self, notice: Notice) -> Any:
        """What this notice may depend on here."""
        if notice.name not in self.seen:
            self.seen[notice.name] = notice.of(self)
        return self.seen[notice.name]


@dataclass(frozen=True)
class Notice:
    """`endpoints` that give it; `of`: all that it may depend on, None for whom it is not; `cut`: how it looks."""

    name: str
    because: str
    endpoints: re.Pattern[str]
    of: Callable[[Known], Any]
    cut: tuple[re.Pattern[bytes], ...] = ()


def rows(known: Known, *names: str) -> Any:
    """Every row of these tables."""
    return [[tuple(row) for row in known.conn.execute(select(t).order_by(*t.primary_key))] for t in map(_table, names)]


def _table(name: str) -> Any:
    return metadata.tables[name]


def names(known: Known) -> Any:
    """Who everybody is: what their Patients say, but for what the law restricts."""
    r = t.resource.c
    lawful = r.sensitivities.op("&")(int(Sensitivity.LEGAL)) == 0
    asked = select(r.key, r.person, r.body, r.redacted, r.deleted).where(r.type == "Patient", lawful).order_by(r.key)
    return [tuple(row) for row in known.conn.execute(asked)]


def labels(known: Known) -> Any:
    """What is held of everybody and how it is labelled, now and before, without what it says."""
    v = t.resource_version.c
    told = (
        v.key,
        v.version,
        v.type,
        v.person,
        v.custodian,
        v.category,
        v.sensitivities,
        v.last_updated,
        v.clinical,
        v.deleted,
    )
    return [tuple(row) for row in known.conn.execute(select(*told).order_by(v.key, v.version))]  # fmt: skip


def _withheld(known: Known) -> Any:
    return known.view.withheld if known.lens else None


def _openable(known: Known) -> Any:
    return known.view.openable if known.lens and breakglass.offered(known.place, known.lens) else None


def _two_facts(known: Known) -> Any:
    return names(known) if known.lens and breakglass.offered(known.place, known.lens) else None


def _minds(known: Known) -> Any:
    everybody = [key for key in known.held.facts if key]
    return sorted(minds_of(known.conn, on_all_that_is_known(NOW), everybody).items()) if known.lens else None


def _waiting(known: Known) -> Any:
    """How many hints wait at the requester's organisation, seen or not."""
    asks = known.lens.requester if known.lens else None
    if known.lens is None or asks is None or not may_correct(known.lens, asks.organisation):
        return None
    hint, r = t.label_hint.c, t.resource
    counted = select(func.count()).select_from(t.label_hint).join(r, r.c.key == hint.resource)
    return known.conn.execute(
        counted.where(hint.answer.is_(None), r.c.custodian == asks.organisation, not_(r.c.deleted))
    ).scalar()


def _gathered(known: Known) -> Any:
    """What was gathered for a request says, but for what the law restricts."""
    packages = known.conn.execute(select(t.subject_request.c.package)).scalars()
    keys = {one["key"] for package in packages if package for one in package["items"] if one.get("key")}
    return [row for row in unrestricted(known) if str(row[0]) in keys]


def _about_me(known: Known) -> Any:
    """The rows of the audit about the person who asks, that they are told of."""
    own = known.lens.requester.person if known.lens and known.lens.requester else None
    if own is None or known.lens is None:
        return None
    kept = known.conn.execute(select(t.audit_event).order_by(t.audit_event.c.id))
    never = untold(known.place, known.lens)
    about = [row for row in kept if row.person == own or str(own) in (row.detail or {}).get("persons", ())]
    return [tuple(row) for row in about if row.action not in never]


def _my_requests(known: Known) -> Any:
    own = known.lens.requester.person if known.lens and known.lens.requester else None
    asked = select(t.subject_request).where(t.subject_request.c.person == own).order_by(t.subject_request.c.id)
    return [tuple(row) for row in known.conn.execute(asked)] if own else None


def _if_may(right: str, of: Callable[[Known], Any]) -> Callable[[Known], Any]:
    return lambda known: of(known) if known.may(right) else None


def _late(known: Known) -> Any:
    return (
        rows(known, "access_grant", "subject_request")
        if known.may(breakglass_review.MAY) or known.may(MAY_HANDLE)
        else None
    )


def _unclear(known: Known) -> Any:
    if known.lens is None or not may_look(known.lens):
        return None
    r, q = t.resource.c, t.quarantine.c
    tasks = select(r.key, r.body).where(r.type == "Task", r.person.is_(None), r.category == "consent").order_by(r.key)
    refused = select(t.quarantine).where(q.type == "Consent").order_by(q.id)
    return [[tuple(row) for row in known.conn.execute(asked)] for asked in (tasks, refused)]


def _as_they_see(known: Known) -> Any:
    """All that the one sees as whom the requester looks."""
    if known.lens is None or known.viewed is None or not known.may(MAY_VIEW_AS):
        return None
    theirs = view(known.conn, lens_of(known.place, known.viewed, known.lens, NOW))
    return (theirs.known, theirs.withheld)


def _then(known: Known) -> Any:
    """What a decision of then rests on, for everybody, and what the worker of the question sees."""
    return (labels(known), rows(known, "relationship", "directive", "kept_out", "access_grant", "erasure", "person", "person_link"), unrestricted(known))  # fmt: skip


def unrestricted(known: Known) -> Any:
    """What everything says and said, but for what the law restricts."""
    v = t.resource_version.c
    plain = select(v.key, v.version, v.body).where(v.sensitivities.op("&")(int(Sensitivity.LEGAL)) == 0)
    return [tuple(row) for row in known.conn.execute(plain.order_by(v.key, v.version))]


def _sign_in(known: Known) -> Any:
    return rows(known, "person_trait", "person")


def _on(*endpoints: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in endpoints))


_PAGES = ("dashboard.person", "view_as.person", "portal.me")
NOTICES: tuple[Notice, ...] = (
    Notice(
        "something is not shown",
        "docs/consent.md, What is told of what is withheld: that a sensitivity or a wish keeps something from somebody who "
        "is involved, where the place tells it; one bit for a person, never how much or what",
        _on(*_PAGES, r"fhir\.everything.*", r"fhir_summary\..*", r"consents\..*", r"cds_hooks\.view"),
        _withheld,
        (
            re.compile(rb'\\n- There may be more:[^"]*'),
            re.compile(rb'<p class="app-withheld"[^>]*>.*?</p>', re.DOTALL),
            re.compile(rb'<p class="app-doubt">There may be more:[^<]*</p>'),
            re.compile(rb" that you can see(?=\.)"),
            re.compile(rb'<p class=\\"withheld\\">[^<]*</p>'),
            re.compile(rb'\{"code":"suppressed","diagnostics":"[^"]*","severity":"warning"\},?'),
            re.compile(rb',?\{"resource":\{"issue":\[\],"resourceType":"OperationOutcome"\},"search":\{"mode":"outcome"\}\}'),
        ),
    ),
    Notice(
        "more can be opened in need",
        "docs/consent.md, Break-glass: the page of somebody whom they are involved with offers it where it would open "
        "something, and the place tells that something is withheld",
        _on("dashboard.person", r"breakglass\..*"),
        _openable,
        (re.compile(rb'<p class="app-need">.*?</p>', re.DOTALL),),
    ),
    Notice(
        "two facts name somebody",
        "docs/consent.md, Break-glass: whoever may break glass learns by two facts that exactly one person fits, and then "
        "their name, birth date and NHS number",
        _on(r"breakglass\..*"),
        _two_facts,
    ),
    Notice(
        "who decides",
        "docs/consent.md, Who decides: whether somebody may consent rests on all that is known, whatever the worker who "
        "records it may see of it",
        _on(r"capacity\..*", r"consents\..*", r"choices\..*", r"fhir_consents\.(create|update)"),
        _minds,
    ),
    Notice(
        "so many labels wait",
        "docs/consent.md, Labels: how many more items wait at their organisation is told as a number",
        _on(r"labelling\.queue"),
        _waiting,
        (re.compile(rb"<p>\d+ more waits? at [^<]*</p>"),),
    ),
    Notice(
        "who looked at me",
        "UK GDPR Art 15(1)(c): a person is told who looked at their record",
        _on(r"who_looked\..*", r"fhir_audit\..*"),
        _about_me,
    ),
    Notice("what I asked for", "a person is told where their own request is", _on(r"my_requests\..*"), _my_requests),
    Notice(
        "so much is late",
        "who reviews broken glass, or handles requests, is told in the menu how many are late",
        _on(".*"),
        _late,
        (re.compile(rb" \(\d+ late\)"),),
    ),
    Notice(
        "the audit",
        "who reads the audit (`read-audit`) reads all of it, and the names of whom it is about",
        _on(r"audit\..*", r"signals\..*", r"fhir_audit\..*"),
        _if_may(MAY_READ, lambda known: (rows(known, "audit_event", "audit_signal", "user", "person"), names(known))),
    ),
    Notice(
        "broken glass",
        "who reviews broken glass sees who opened whose record, what they looked at, and their ties to the person",
        _on(r"breakglass_review\..*"),
        _if_may(breakglass_review.MAY, lambda known: (rows(known, "access_grant", "audit_event", "relationship"), names(known))),
    ),
    Notice(
        "consents that can't be read",
        "who watches over them sees why a Consent can't be read and where it came from",
        _on(r"consents\.unclear"),
        _unclear,
    ),
    Notice(
        "questions of identity",
        "L0-identity: who decides links sees who each record says it is about",
        _on(r"dashboard\.(links|link|decide_link)"),
        _if_may(MAY_DECIDE_LINKS, lambda known: (rows(known, "link_decision", "person_link", "person"), names(known))),
    ),
    Notice(
        "what was not stored",
        "who watches over the quarantine sees where a resource came from and why it was refused",
        _on(r"dashboard\.quarantine"),
        _if_may(MAY_SEE, lambda known: rows(known, "quarantine")),
    ),
    Notice(
        "requests and holds",
        "who handles requests and holds sees them all, whose they are, and what was gathered, less what the law restricts",
        _on(r"subject_access\..*", r"retention\..*"),
        _if_may(MAY_HANDLE, lambda known: (rows(known, "subject_request", "legal_hold"), names(known), _gathered(known))),
    ),
    Notice(
        "so much is due",
        "who handles requests sees how much is due to be erased, by schedule",
        _on(r"retention\.due"),
        _if_may(MAY_HANDLE, lambda known: (rows(known, "relationship"), labels(known))),
    ),
    Notice(
        "whose NHS number it is",
        "who looks as somebody else, or asks how it was, names the person by their NHS number",
        _on(r"view_as\..*", r"looking_back\.as_it_was"),
        _if_may(MAY_VIEW_AS, names),
    ),
    Notice(
        "what they see",
        "docs/consent.md, View as: the page is the other's own",
        _on(r"view_as\.person"),
        _as_they_see,
    ),
    Notice(
        "as it was",
        "docs/consent.md, As it was: who explains sees how what is held was labelled and decided, and what was shown",
        _on(r"looking_back\.as_it_was"),
        _if_may("explain", _then),
    ),
    Notice(
        "why, and why not",
        "docs/consent.md, Why: who explains sees how everything that is held of somebody is labelled and decided",
        _on(r"why\.explain"),
        _if_may("explain", _then),
    ),
    Notice(
        "numbers about many",
        "docs/consent.md, L10-counted: who counts sees rounded numbers about many, none of a few",
        _on(r"planning\.(answer|download)"),
        _if_may("count", _then),
    ),
    Notice(
        "what a pack would change",
        "docs/consent.md, What if: who explains reads the rehearsals, which name keys of people as examples",
        _on(r"looking_back\.rehears.*"),
        _if_may("explain", lambda known: rows(known, "rehearsal")),
    ),
    Notice(
        "who signs in",
        "docs/consent.md, The person's own page: any doubt whose a verified NHS number is refuses the sign-in",
        _on(r"web\.come_back"),
        _sign_in,
    ),
)  # fmt: skip


def of(endpoint: str) -> tuple[Notice, ...]:
    """Those that this endpoint may give."""
    return tuple(one for one in NOTICES if one.endpoints.fullmatch(endpoint))


def cut(body: bytes, notices: tuple[Notice, ...]) -> bytes:
    """The answer without these notices."""
    for pattern in (pattern for one in notices for pattern in one.cut):
        body = pattern.sub(b"", body)
    return body


WHOLE: Mapping[str, str] = {one.name: one.because for one in NOTICES if not one.cut}
