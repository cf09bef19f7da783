"""A place pack as one frozen object: everything that differs from place to place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from carelink.ids import Ods, UserId


@dataclass(frozen=True)
class Organisation:
    ods: Ods
    name: str
    type: str  # council, gp-practice, nhs-trust, ics, ...


@dataclass(frozen=True)
class Role:
    """What kind of worker: `see_restricted` may see where a restricted (PDS 'S') person is."""

    id: str
    label: str
    purposes: tuple[str, ...]  # v3-ActReason codes that this role may ask for; the first is the usual one
    may: frozenset[str] = frozenset()  # what else it may do: MAY of place_schemas.py


@dataclass(frozen=True)
class Staff:
    id: UserId
    name: str
    organisation: Ods
    role: str
    team: str = ""
    email: str = ""
    identifiers: tuple[str, ...] = ()  # "system|value": this worker at the sources


@dataclass(frozen=True)
class SourceEntry:
    """One [[source]] of sources.toml. `url` and the secret may come from CARELINK_SOURCE_<NAME>_URL / _SECRET."""

    name: str
    label: str  # "GP record": how pages name it
    kind: str
    organisation: Ods
    order: int  # pulled in this order; 1 first
    every_minutes: int
    stale_after_minutes: int
    url: str = ""
    secret_env: str = ""
    timeout: float = 10.0
    options: Mapping[str, Any] = field(default_factory=dict)
    clients_push: bool = False  # what clients of its organisation write stands under this source


@dataclass(frozen=True)
class Agreement:
    """Custodians of this kind share these categories with these roles at those organisations, for these purposes.

    `custodian` and `recipient` are an ODS code, an organisation type, or `*`. `sensitivities` are those that
    the agreement names; an item with a sensitivity that it does not name is not shared by it.
    """

    id: str
    custodian: str
    recipient: str
    roles: frozenset[str]
    categories: frozenset[str]
    purposes: frozenset[str]
    because: str
    sensitivities: frozenset[str] = frozenset()


@dataclass(frozen=True)
class RelationshipRule:
    """A kind of legitimate relationship and how many days it outlives its end."""

    kind: str  # caseload, registered-practice, encounter, referral
    grace_days: int
    because: str


@dataclass(frozen=True)
class LabelRule:
    """Puts a category, sensitivities or both on what matches. First match wins for the category; sensitivities add up.

    `codes`, those of its code sets, and `documents` narrow it: one of them must be there. A rule with `text` and none of
    these labels nothing by itself.
    """

    id: str
    because: str
    category: str = ""
    sensitivities: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()  # names of sources; empty: any
    types: tuple[str, ...] = ()  # FHIR types; empty: any
    codes: frozenset[tuple[str, str]] = frozenset()  # (system, code) anywhere in it, with those of `code_sets`
    code_sets: tuple[str, ...] = ()  # files of the pack that `codes` were read from
    documents: frozenset[tuple[str, str]] = frozenset()  # (system, code) of a document's type
    text: tuple[str, ...] = ()  # words that make a human look; they label nothing


@dataclass(frozen=True)
class Asking:
    """What this place asks of consent, and what a consent gives."""

    view: str = "implied"  # explicit: a shared record is opened only where the person agreed to that, or by break-glass
    permit_gives: frozenset[str] = (
        frozenset()
    )  # agreement, relationship: what a permit that names its recipient stands for
    needs_consent: frozenset[str] = frozenset()  # sensitivities that are shared only where the person permits them
    objection_yields_to: frozenset[str] = frozenset()  # purposes for which law overrides an objection


@dataclass(frozen=True)
class BreakGlass:
    """How a worker may open more than they may see, in need."""

    reasons: Mapping[str, str]  # id -> words
    reviewer: str  # the role that reviews each
    minutes: int = 60
    review_days: int = 3
    widens: frozenset[str] = frozenset({"relationship"})  # relationship, objection, view
    tell_person: bool = False


@dataclass(frozen=True)
class LocalSensitivity:
    """A sensitivity that the place adds to the national ones; `number` is its own for good."""

    id: str
    label: str
    number: int  # 1 to 16
    because: str
    hidden_from_person: bool = False


@dataclass(frozen=True)
class OnDuty:
    """A team that stands in for all teams of its organisation at these hours of Europe/London."""

    organisation: Ods
    team: str
    days: tuple[str, ...]  # mon .. sun: when a duty begins
    starts: str  # "17:00"
    ends: str  # "08:30", of the next day where it is not after `starts`
    because: str


@dataclass(frozen=True)
class Watch:
    """What this place finds worth a look in the audit, and what the person is told of who looked."""

    name_staff: bool = True  # False: the person reads the role and the organisation, not the name
    many_people: int = 60  # different people whom one worker opens in `many_minutes`
    many_minutes: int = 60
    day_starts: str = "07:00"  # of Europe/London, Monday to Friday
    day_ends: str = "20:00"
    day_roles: frozenset[str] = frozenset()  # roles that work by day; of the others no hour is unusual
    vip: frozenset[tuple[str, str]] = frozenset()  # (system, code) of the Flags that mark whom curiosity may draw


LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})  # this machine itself


@dataclass(frozen=True)
class Subscriber:
    """Where clients of one organisation may have notifications sent to: this address and what is below it."""

    url: str  # https; http for this machine itself
    organisation: Ods
    because: str
    private_network: bool = False  # True: it may be at an address that is not of the public internet


@dataclass(frozen=True)
class CdsClient:
    """A system of an organisation that calls CDS Hooks; that it is that one is told by its own keys (RFC 7517)."""

    issuer: str  # `iss` of its tokens
    label: str
    organisation: Ods
    role: str  # in which it asks where it does not say for whom, or for nobody of `staff`
    jwks: str = ""  # the text of the file
    jwks_url: str = ""
    worker_system: str = ""  # its users are workers with an identifier of this system
    origins: tuple[str, ...] = ()  # web pages of it that call from the browser (CORS)


@dataclass(frozen=True)
class Ehr:
    """A patient record system that CareLink is opened from (SMART App Launch 2.2), and how its users are told apart."""

    iss: str  # the address of its FHIR; https, http for this machine itself
    label: str
    organisation: Ods  # whose staff use it
    client_id: str  # by which it knows CareLink
    worker_system: str  # its users are workers with an identifier of this system
    worker_claim: str = "sub"  # of its ID tokens, whose value that identifier has
    secret_env: str = ""  # the environment variable with CareLink's secret there; empty: PKCE alone


@dataclass(frozen=True)
class Linking:
    """Fellegi-Sunter weights: [field][level] -> log2(m/u); and the two thresholds."""

    upper: float
    lower: float
    weights: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Survivorship:
    """For an element of the golden Patient: sources in order of trust, and how to choose among equals."""

    element: str  # name, birthDate, address, telecom, generalPractitioner, ...
    sources: tuple[str, ...]
    choose: str = "latest"  # latest, all


@dataclass(frozen=True)
class Schedule:
    """How long something is kept: so many years after an event. Of several that fit an item the longest counts."""

    id: str
    label: str
    years: int
    after: str  # last-contact, death, birth; answer: of requests for records
    because: str
    reference: str  # where in the Records Management Code, or the law
    custodians: frozenset[str] = frozenset()  # ODS codes or types of organisations; empty: any
    categories: frozenset[str] = frozenset()  # empty: any
    types: frozenset[str] = frozenset()  # FHIR types; empty: any
    people: str = "any"  # children: those who were under 18 at the last contact; adults
    whose: frozenset[tuple[str, str]] = frozenset()  # only people whose record holds one of these codes
    years_if_seen_at_17: int = 0  # instead of `years`; 0: the same
    years_after_death: int = 0  # where that comes first; 0: death changes nothing


@dataclass(frozen=True)
class Words:
    """What this place calls things, and what it may say of what it withholds."""

    service_name: str
    place_name: str
    withheld_notice: str  # empty: this place says nothing
    help_contact: str
    tell_withheld: bool = True


@dataclass(frozen=True)
class Place:
    name: str
    folder: Path
    words: Words
    organisations: Mapping[Ods, Organisation]
    roles: Mapping[str, Role]
    staff: Mapping[UserId, Staff]
    sources: tuple[SourceEntry, ...]
    agreements: tuple[Agreement, ...]
    relationships: Mapping[str, RelationshipRule]
    labels: tuple[LabelRule, ...]
    linking: Linking
    survivorship: tuple[Survivorship, ...]
    categories: Mapping[str, str]  # id -> label on pages
    asking: Asking = Asking()
    glass: BreakGlass | None = None  # None: there is no break-glass here
    sensitivities: tuple[LocalSensitivity, ...] = ()
    on_duty: tuple[OnDuty, ...] = ()
    watch: Watch = Watch()
    schedules: tuple[Schedule, ...] = ()  # none: nothing is ever due to be erased
    subscribers: tuple[Subscriber, ...] = ()  # none: nobody is notified
    cds_clients: tuple[CdsClient, ...] = ()
    ehrs: tuple[Ehr, ...] = ()
    update_creates: bool = False  # a client that updates what is not there creates it, under the id that it chose

    def source(self, name: str) -> SourceEntry:
        """The source of that name. Raises KeyError."""
        return next(entry for entry in self.sources if entry.name == name)
