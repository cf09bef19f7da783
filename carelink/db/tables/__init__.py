"""The tables. Rows about a person carry the person's key; names are the field's."""

from __future__ import annotations

from carelink.db.tables.auditing import audit_event, audit_seal, audit_signal
from carelink.db.tables.base import metadata
from carelink.db.tables.exports import export_job
from carelink.db.tables.oauth import oauth_code, oauth_refresh, revoked_token, used_jti
from carelink.db.tables.people import (
    client,
    link_decision,
    organisation,
    person,
    person_link,
    person_trait,
    role_assignment,
    user,
)
from carelink.db.tables.pulling import job_receipt, outbox, quarantine, source_person, source_state
from carelink.db.tables.quality import attachment, finding
from carelink.db.tables.requests import erasure, legal_hold, subject_request
from carelink.db.tables.sharing import (
    access_grant,
    directive,
    kept_out,
    label_correction,
    label_hint,
    policy,
    rehearsal,
    relationship,
)
from carelink.db.tables.store import (
    index_date,
    index_number,
    index_reference,
    index_string,
    index_token,
    resource,
    resource_version,
)
from carelink.db.tables.subscribing import subscription, subscription_event

__all__ = [
    "access_grant",
    "attachment",
    "audit_event",
    "audit_seal",
    "audit_signal",
    "client",
    "directive",
    "erasure",
    "export_job",
    "finding",
    "index_date",
    "index_number",
    "index_reference",
    "index_string",
    "index_token",
    "job_receipt",
    "kept_out",
    "label_correction",
    "label_hint",
    "legal_hold",
    "link_decision",
    "metadata",
    "oauth_code",
    "oauth_refresh",
    "organisation",
    "outbox",
    "person",
    "person_link",
    "person_trait",
    "policy",
    "quarantine",
    "rehearsal",
    "relationship",
    "resource",
    "resource_version",
    "revoked_token",
    "role_assignment",
    "source_person",
    "source_state",
    "subject_request",
    "subscription",
    "subscription_event",
    "used_jti",
    "user",
]
