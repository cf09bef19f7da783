"""The tables. Rows about a person carry the person's key; names are the field's."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()


def _when(name: str, **options: object) -> Column[object]:
    return Column(name, DateTime(timezone=True), **options)  # type: ignore[arg-type]


# Who asks ------------------------------------------------------------------------------------------

organisation = Table(
    "organisation",
    metadata,
    Column("ods", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),  # council, gp-practice, nhs-trust, ... as the place pack says
)

user = Table(
    "user",
    metadata,
    Column("id", Text, primary_key=True),  # the `sub` of the identity provider
    Column("name", Text, nullable=False),
    Column(
        "identifiers", ARRAY(Text), nullable=False, server_default=text("'{}'")
    ),  # "system|value": worker ids at sources
    Column("person", Uuid),  # set where the user is the person themselves
    Column("active", Boolean, nullable=False, server_default=text("true")),
)

role_assignment = Table(
    "role_assignment",
    metadata,
    Column("user", Text, ForeignKey("user.id"), nullable=False),
    Column("organisation", Text, ForeignKey("organisation.ods"), nullable=False),
    Column("team", Text, nullable=False, server_default=""),
    Column("role", Text, nullable=False),
    UniqueConstraint("user", "organisation", "team", "role"),
)

client = Table(
    "client",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("organisation", Text, ForeignKey("organisation.ods"), nullable=False),
    Column("role", Text, nullable=False),  # what kind of worker it asks as
    Column("secret_hash", Text, nullable=False, server_default=""),
    Column("scopes", Text, nullable=False, server_default=""),
    Column("active", Boolean, nullable=False, server_default=text("true")),
)

# Who it is about -----------------------------------------------------------------------------------

person = Table(
    "person",
    metadata,
    Column("key", Uuid, primary_key=True),
    _when("created", nullable=False),
    Column("merged_into", Uuid),
    Column("restricted", Boolean, nullable=False, server_default=text("false")),  # PDS confidentiality R
    Column("deceased", Boolean, nullable=False, server_default=text("false")),
    Index("person_merged", "merged_into", postgresql_where=text("merged_into is not null")),
)

# What the linker compares: one row for each source Patient.
person_trait = Table(
    "person_trait",
    metadata,
    Column("patient", Uuid, primary_key=True),  # key of the source's Patient resource
    Column("person", Uuid, nullable=False),
    Column("nhs_number", Text, nullable=False, server_default=""),
    Column("nhs_verified", Boolean, nullable=False, server_default=text("false")),
    Column("nhs_former", ARRAY(Text), nullable=False, server_default=text("'{}'")),  # superseded numbers
    Column("family", Text, nullable=False, server_default=""),  # folded: lower case, no accents or punctuation
    Column("given", Text, nullable=False, server_default=""),
    Column("birth_date", Text, nullable=False, server_default=""),
    Column("gender", Text, nullable=False, server_default=""),
    Column("postcode", Text, nullable=False, server_default=""),  # no space, upper case
    Column("address", Text, nullable=False, server_default=""),
    Column("telephone", Text, nullable=False, server_default=""),  # digits, national form
    Column("sounds", Text, nullable=False, server_default=""),  # phonetic key of family, for blocking
    Index("person_trait_person", "person"),
    Index("person_trait_nhs_number", "nhs_number", postgresql_where=text("nhs_number <> ''")),
    Index("person_trait_birth_date", "birth_date", postgresql_where=text("birth_date <> ''")),
    Index("person_trait_postcode", "postcode", postgresql_where=text("postcode <> ''")),
    Index("person_trait_nhs_former", "nhs_former", postgresql_using="gin", postgresql_where=text("nhs_former <> '{}'")),
    Index("person_trait_sounds", "sounds", "birth_date", postgresql_where=text("sounds <> ''")),
    Index("person_trait_telephone", "telephone", postgresql_where=text("telephone <> ''")),
)

# Every link that was ever made, also those undone: the past can be asked.
person_link = Table(
    "person_link",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("patient", Uuid, nullable=False),  # the source's Patient resource
    Column("person", Uuid, nullable=False),
    Column("method", Text, nullable=False),  # founder, nhs-number, weights, human
    Column("weight", Float),
    Column("fields", JSONB, nullable=False),  # comparison level and weight of each field
    Column("made_by", Text, nullable=False),
    _when("made_at", nullable=False),
    Column("undone_by", Text),
    _when("undone_at"),
    Column("undone_why", Text),
    Index("person_link_current", "patient", unique=True, postgresql_where=text("undone_at is null")),
    Index("person_link_person", "person"),
)

# What a human must decide: a source Patient between the thresholds.
link_decision = Table(
    "link_decision",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("patient", Uuid, nullable=False),
    Column("candidate", Uuid, nullable=False),  # the person that it may be
    Column("weight", Float, nullable=False),
    Column("fields", JSONB, nullable=False),
    _when("raised_at", nullable=False),
    Column("answer", Text),  # same, different
    Column("decided_by", Text),
    _when("decided_at"),
    UniqueConstraint("patient", "candidate"),
)

# The store -----------------------------------------------------------------------------------------


def _labelled() -> list[Column[object]]:
    return [
        Column("type", Text, nullable=False),
        Column("person", Uuid),
        Column("patient", Uuid),  # the source's Patient it is about: what moves when a link is undone
        Column("custodian", Text, nullable=False),  # ODS code of who answers for it
        Column("category", Text, nullable=False),
        Column("sensitivities", Integer, nullable=False, server_default=text("0")),  # bitmask, consent/labels.py
        _when("last_updated", nullable=False),
        Column("body", Text, nullable=False),  # the canonical JSON text that is served
        Column("redacted", Text),  # the same without whatever tells where a person is; null: nothing in it does
        Column("for_person", Text),  # the same for the person's own page, without others; null: nothing tells of them
        Column("hash", LargeBinary, nullable=False),  # of the content less meta.versionId and meta.lastUpdated
        Column("deleted", Boolean, nullable=False, server_default=text("false")),
        _when("clinical", nullable=True),  # when it happened, for the timeline; null: not said
    ]


resource = Table(
    "resource",
    metadata,
    Column("key", Uuid, primary_key=True),
    *_labelled(),
    Column("version", Integer, nullable=False),
    Column("source", Text, nullable=False),  # name in the place pack; `carelink` for what is made here
    Column("source_id", Text, nullable=False),
    Column("security", Text),  # meta.security as its source gave it: by that it is labelled anew
    Index("resource_person", "person", "type", "key"),
    Index("resource_patient", "patient"),
    Index("resource_type", "type", "last_updated", "key"),
    Index("resource_source", "source", "type", "source_id"),
)

resource_version = Table(
    "resource_version",
    metadata,
    Column("key", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    *_labelled(),
)


def _index(name: str, *values: Column[object]) -> Table:
    return Table(
        name,
        metadata,
        Column("parameter", SmallInteger, nullable=False),  # number in record/parameters.py
        Column("person", Uuid),
        *values,
        Column("key", Uuid, nullable=False),
    )


index_token = _index("index_token", Column("system", Text), Column("code", Text, nullable=False))
# Sorted bytewise whatever the database's own order, so that all that begins alike stands together.
index_string = _index("index_string", Column("value", Text(collation="C"), nullable=False))
index_date = _index("index_date", _when("low", nullable=False), _when("high", nullable=False))
index_reference = _index("index_reference", Column("target", Uuid), Column("literal", Text))
index_number = _index("index_number", Column("value", Numeric, nullable=False), Column("unit", Text))

for _table, _value in (
    (index_token, "code"),
    (index_string, "value"),
    (index_date, "low"),
    (index_reference, "target"),
    (index_number, "value"),
):
    Index(f"{_table.name}_person", "person", "parameter", _value, "key", _table=_table)
    Index(f"{_table.name}_key", "key", _table=_table)
Index(
    "index_token_global", "parameter", "code", "key", _table=index_token, postgresql_where=text("parameter < 100")
)  # parameters under 100 are asked without a person: identifiers
Index("index_date_global", "parameter", "low", "key", _table=index_date, postgresql_where=text("parameter < 100"))
Index("index_string_global", "parameter", "value", "key", _table=index_string, postgresql_where=text("parameter < 100"))

# Who may see what ----------------------------------------------------------------------------------

relationship = Table(
    "relationship",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("person", Uuid, nullable=False),
    Column("kind", Text, nullable=False),  # caseload, registered-practice, encounter, referral
    Column("organisation", Text, nullable=False),
    Column("team", Text),
    Column("user", Text),  # null: everyone at the organisation (or team) who has a role for it
    _when("starts", nullable=False),
    _when("ends"),  # null: open; grace is already added
    Column("origin", Uuid),  # the resource that says so
    Index("relationship_person", "person", "organisation"),
    Index("relationship_user", "user"),
)

# One provision of a FHIR Consent. A column that is null sets no condition; all that are set must hold.
directive = Table(
    "directive",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("person", Uuid, nullable=False),
    Column("consent", Uuid, nullable=False),  # the FHIR Consent that it was compiled from
    Column("rule", Text, nullable=False),
    Column("effect", Text, nullable=False),  # deny, permit
    Column(
        "depth", SmallInteger, nullable=False, server_default=text("0")
    ),  # 0: the provision itself; 1: its exception
    _when("made"),  # when the person said so; null: not known
    _when("starts", nullable=False),
    _when("ends"),
    # To whom
    Column("organisation", Text),
    Column("organisation_type", Text),
    Column("role", Text),
    Column("team", Text),
    Column("user", Text),
    Column("purposes", ARRAY(Text)),
    # Of what
    Column("custodians", ARRAY(Text)),
    Column("categories", ARRAY(Text)),
    Column("types", ARRAY(Text)),
    Column("sensitivities", Integer),
    Column("codes", JSONB(none_as_null=True)),  # [{system, code}]: any coding in the item
    Column("items", ARRAY(Uuid)),
    _when("since"),  # of when: the item's clinical date
    _when("until"),
    Index("directive_person", "person"),
)

# Who is the alleged source of harm, or acts for them: sees nothing of the enquiry, or of what a court ordered.
kept_out = Table(
    "kept_out",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("person", Uuid, nullable=False),
    Column("kind", Text, nullable=False),  # enquiry, court-order
    Column("organisation", Text),  # everyone there, or
    Column("user", Text),  # this one
    _when("starts", nullable=False),
    _when("ends"),
    Column("origin", Uuid, nullable=False),  # the CareTeam that says so
    Index("kept_out_person", "person"),
)

# Break-glass: what one user opened of one person, and what came of it.
access_grant = Table(
    "access_grant",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("person", Uuid, nullable=False),
    Column("user", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("team", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False),  # of the place's list
    Column("words", Text, nullable=False),
    _when("starts", nullable=False),
    _when("ends", nullable=False),
    Column("reviewer_role", Text, nullable=False),
    _when("review_due", nullable=False),
    Column("reviewed_by", Text),
    _when("reviewed_at"),
    Column("finding", Text),  # justified, not-justified, unclear
    Column("finding_words", Text),
    Index("access_grant_person", "person", "user", "ends"),
    Index("access_grant_open", "review_due", postgresql_where=text("reviewed_at is null")),
)

# What a custodian corrected of the labels of one item; kept apart, so that it outlives the next pull.
label_correction = Table(
    "label_correction",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("resource", Uuid, nullable=False),
    Column("category", Text),  # null: as the rules say
    Column("added", Integer, nullable=False, server_default=text("0")),  # sensitivities
    Column("removed", Integer, nullable=False, server_default=text("0")),
    Column("why", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    _when("made_at", nullable=False),
    Column("undone_by", Text),
    _when("undone_at"),
    Index("label_correction_current", "resource", unique=True, postgresql_where=text("undone_at is null")),
)

# Words in an item that make a human look whether it needs a label.
label_hint = Table(
    "label_hint",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("resource", Uuid, nullable=False),
    Column("person", Uuid),
    Column("custodian", Text, nullable=False),
    Column("rule", Text, nullable=False),  # id in labels.toml
    _when("raised_at", nullable=False),
    Column("answer", Text),  # labelled, not-needed
    Column("answered_by", Text),
    _when("answered_at"),
    UniqueConstraint("resource", "rule"),
    Index("label_hint_open", "custodian", postgresql_where=text("answer is null")),
)

# Every place pack that decisions were made by, whole, so that the past can be asked.
policy = Table(
    "policy",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("hash", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("files", JSONB, nullable=False),  # file -> text
    _when("since", nullable=False),  # decided by from then until the next row's
    Column("changed_by", Text, nullable=False, server_default=""),
    Index("policy_since", "since"),
)

# What a place pack would have changed, tried on the live record before it was switched on.
rehearsal = Table(
    "rehearsal",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    _when("made_at", nullable=False),
    Column("made_by", Text, nullable=False),
    Column("report", JSONB, nullable=False),  # counts, and keys of people as examples
)

# What is asked for under UK GDPR Art 15.
subject_request = Table(
    "subject_request",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("person", Uuid, nullable=False),
    Column("status", Text, nullable=False),  # received, gathered, reviewed, released, refused, withdrawn
    Column("requested_by", Text, nullable=False),  # the person, or who acts for them
    Column("authority", Text, nullable=False),  # self, parent, attorney, ...: cases/subject_access.py
    _when("asked_at", nullable=False),
    _when("identity_at"),  # when it was seen who they are, and that they may ask: the clock starts with the later
    Column("complex", Boolean, nullable=False, server_default=text("false")),  # two months more
    Column("extension_why", Text, nullable=False, server_default=""),  # as it was told to who asked
    _when("extended_at"),
    Column("handled_by", Text, nullable=False),
    _when("gathered_at"),
    Column("package", JSONB(none_as_null=True)),  # what was gathered: an entry an item, with what the review says of it
    Column("reviewed_by", Text),
    _when("reviewed_at"),
    _when("released_at"),
    Column("released_by", Text),
    Column("printed", LargeBinary),  # exactly what was released, for people
    Column("printed_as", Text),  # its media type
    Column("fhir", LargeBinary),  # and for machines
    _when("ended_at"),  # refused or withdrawn
    Column("ended_why", Text),
    Index("subject_request_person", "person"),
    Index(
        "subject_request_open",
        "asked_at",
        postgresql_where=text("released_at is null and ended_at is null"),
    ),
)

# Nothing of this person is deleted while one is open.
legal_hold = Table(
    "legal_hold",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("person", Uuid, nullable=False),
    Column("why", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    _when("made_at", nullable=False),
    Column("ended_by", Text),
    _when("ended_at"),
    Index("legal_hold_open", "person", postgresql_where=text("ended_at is null")),
)

# What retention took out: the body is gone, that it was there is not.
erasure = Table(
    "erasure",
    metadata,
    Column("resource", Uuid, primary_key=True),
    Column("person", Uuid),
    Column("type", Text, nullable=False),
    Column("custodian", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("versions", Integer, nullable=False),
    Column("schedule", Text, nullable=False),  # id in retention.toml
    _when("erased_at", nullable=False),
    Column("erased_by", Text, nullable=False),
    Index("erasure_person", "person"),
)

audit_event = Table(
    "audit_event",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    _when("at", nullable=False),
    Column("action", Text, nullable=False),  # read, search, sign-in, refusal, explain, link, ...
    Column("outcome", Text, nullable=False, server_default="success"),
    Column("user", Text),
    Column("organisation", Text),
    Column("role", Text),
    Column("purpose", Text),
    Column("reason", Text),  # of a system read
    Column("person", Uuid),
    Column("query", Text),  # what was asked, without values that tell who
    Column("count", Integer),
    Column("rules", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("request", Text),  # id of the request that it belongs to
    Column("detail", JSONB),
    Index("audit_event_person", "person", "at"),
    Index("audit_event_user", "user", "at"),
    Index("audit_event_at", "at"),
    # Of a look at several people the others are in `detail`; most rows are about one and cost this index nothing.
    Index(
        "audit_event_persons",
        "detail",
        postgresql_using="gin",
        postgresql_ops={"detail": "jsonb_path_ops"},
        postgresql_where=text("detail ? 'persons'"),
    ),
)

# Blocks of audit events in the order of their ids: each with a Merkle root, chained by the one before, and signed.
audit_seal = Table(
    "audit_seal",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("first", BigInteger, nullable=False),  # ids of events, from and to, both within
    Column("last", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("leaves", LargeBinary, nullable=False),  # id and hash of each event, so that what changed can be placed
    Column("root", LargeBinary, nullable=False),
    Column("previous", LargeBinary, nullable=False),  # hash of the seal before
    _when("sealed_at", nullable=False),
    Column("signed_by", Text, nullable=False),  # fingerprint of the key
    Column("public_key", LargeBinary, nullable=False),  # itself, so that former keys are kept
    Column("hash", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

# A pattern in the audit trail that is worth a look, until somebody has looked.
audit_signal = Table(
    "audit_signal",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("pattern", Text, nullable=False),  # own-record, same-surname, many-people, ...
    Column("user", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("person", Uuid),
    _when("day", nullable=False),
    Column("count", Integer, nullable=False),
    Column("detail", JSONB),
    _when("raised_at", nullable=False),
    Column("answer", Text),  # in-order, passed-on, breach
    Column("words", Text),  # of who answered it: what they found
    Column("answered_by", Text),
    _when("answered_at"),
    UniqueConstraint("pattern", "user", "organisation", "person", "day", postgresql_nulls_not_distinct=True),
    Index("audit_signal_open", "raised_at", postgresql_where=text("answered_at is null")),
)

# Pulling, and work to be done ----------------------------------------------------------------------

source_state = Table(
    "source_state",
    metadata,
    Column("source", Text, primary_key=True),
    Column("cursor", JSONB),
    Column("status", Text, nullable=False, server_default="never"),  # never, pulling, good, failing
    _when("started_at"),
    _when("good_at"),  # when the last pull reached its end
    _when("failing_since"),
    Column("why", Text),
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("total", Integer),
)

# When each person was last asked about at a source that answers about one person at a time.
source_person = Table(
    "source_person",
    metadata,
    Column("source", Text, primary_key=True),
    Column("person", Uuid, primary_key=True),
    _when("good_at", nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source", Text, nullable=False),
    Column("namespace", Text, nullable=False, server_default=""),
    Column("custodian", Text, nullable=False, server_default=""),
    Column("type", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("person", Uuid),
    Column("raw", Text, nullable=False),
    Column("mapped", Boolean, nullable=False, server_default=text("false")),  # `raw` is R4, so it can be tried again
    Column("reasons", JSONB, nullable=False),  # [{place, why}]
    Column("repairs", JSONB, nullable=False, server_default=text("'[]'")),  # [{rule, path, was, why}] made before
    Column("hash", LargeBinary, nullable=False),
    _when("seen_at", nullable=False),
    _when("resolved_at"),
    Column("resolution", Text),
    UniqueConstraint("source", "namespace", "type", "source_id", "hash"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    _when("created_at", nullable=False),
    _when("due_at", nullable=False),
    _when("handed_at"),  # last handed to RQ or taken by a worker; after a while without done_at it is handed again
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    _when("done_at"),
    Column("error", Text),
    Column("once", Text),  # two open rows never share this: a pull is asked for once
    Index("outbox_open", "due_at", postgresql_where=text("done_at is null")),
    Index("outbox_once", "once", unique=True, postgresql_where=text("done_at is null")),
)

job_receipt = Table(
    "job_receipt",
    metadata,
    Column("outbox", BigInteger, primary_key=True),
    Column("step", Text, primary_key=True),
    _when("done_at", nullable=False),
    Column("result", JSONB),
)
