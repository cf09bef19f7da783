"""Who may see what, and how it came to be so."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from carelink.db.tables.base import metadata, when

relationship = Table(
    "relationship",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("person", Uuid, nullable=False),
    Column("kind", Text, nullable=False),  # caseload, registered-practice, encounter, referral
    Column("organisation", Text, nullable=False),
    Column("team", Text),
    Column("user", Text),  # null: everyone at the organisation (or team) who has a role for it
    when("starts", nullable=False),
    when("ends"),  # null: open; grace is already added
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
    when("made"),  # when the person said so; null: not known
    when("starts", nullable=False),
    when("ends"),
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
    when("since"),  # of when: the item's clinical date
    when("until"),
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
    when("starts", nullable=False),
    when("ends"),
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
    when("starts", nullable=False),
    when("ends", nullable=False),
    Column("reviewer_role", Text, nullable=False),
    when("review_due", nullable=False),
    Column("reviewed_by", Text),
    when("reviewed_at"),
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
    when("made_at", nullable=False),
    Column("undone_by", Text),
    when("undone_at"),
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
    when("raised_at", nullable=False),
    Column("answer", Text),  # labelled, not-needed
    Column("answered_by", Text),
    when("answered_at"),
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
    when("since", nullable=False),  # decided by from then until the next row's
    Column("changed_by", Text, nullable=False, server_default=""),
    Index("policy_since", "since"),
)

# What a place pack would have changed, tried on the live record before it was switched on.
rehearsal = Table(
    "rehearsal",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    when("made_at", nullable=False),
    Column("made_by", Text, nullable=False),
    Column("report", JSONB, nullable=False),  # counts, and keys of people as examples
)
