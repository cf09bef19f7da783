"""Who asks, and who it is about."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from carelink.db.tables.base import metadata, when

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
    Column("kind", Text, nullable=False, server_default="system"),  # system: as itself; app: for who uses it
    Column("jwks", JSONB(none_as_null=True)),  # its public keys, or
    Column("jwks_url", Text, nullable=False, server_default=""),  # where they are
    Column("redirect_uris", ARRAY(Text), nullable=False, server_default=text("'{}'")),  # of an app
    Column("launch_url", Text, nullable=False, server_default=""),  # where an app is opened with a patient
)

# Who it is about -----------------------------------------------------------------------------------

person = Table(
    "person",
    metadata,
    Column("key", Uuid, primary_key=True),
    when("created", nullable=False),
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
    when("made_at", nullable=False),
    Column("undone_by", Text),
    when("undone_at"),
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
    when("raised_at", nullable=False),
    Column("answer", Text),  # same, different
    Column("decided_by", Text),
    when("decided_at"),
    UniqueConstraint("patient", "candidate"),
)
