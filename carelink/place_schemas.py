"""What each file of a place pack may hold: one marshmallow schema a kind of entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from carelink.place import LOOPBACK
from fhir_adapters.registry import KINDS

# v3-ActReason, and one of ours: to look into what may be abuse or neglect (Care Act 2014 s42, s45).
PURPOSES = ("TREAT", "ETREAT", "CAREMGT", "BTG", "HOPERAT", "HRESCH", "PUBHLTH", "PATRQT", "SAFEGUARDING")
MAY = (
    "break-glass",  # open more than they may see, in need, to be reviewed
    "correct-labels",  # of what their own organisation answers for
    "count",  # ask for numbers about many, for planning or research
    "decide-links",
    "explain",  # why somebody sees what they see; what if; as it was
    "handle-requests",  # subject access, legal hold, erasure
    "read-audit",
    "record-consent",
    "review-break-glass",
    "see-legally-restricted",
    "see-quarantine",
    "see-restricted",
    "view-as",  # look at a record as somebody else would see it
)
RELATIONSHIPS = ("caseload", "registered-practice", "encounter", "referral", "care-team", "mdt")
EVENTS = ("last-contact", "death", "birth", "answer")  # that a time of keeping is reckoned from
# The words of consent/sensitivity.py and record/comparison.py, which stand above a pack; a test holds them to those.
SENSITIVITIES = (
    *("ETH", "HIV", "STD", "PSY", "SDV", "SEX", "MH"),
    *("SAFEGUARDING", "THIRD-PARTY", "LEGAL", "NOPAT", "RESTRICTED"),
)
LEVELS: Mapping[str, tuple[str, ...]] = {
    "nhs_number": ("verified", "same", "former", "conflict", "near", "different", "missing"),
    "family": ("same", "part", "near", "different", "missing"),
    "given": ("same", "nickname", "near", "initial", "other", "different", "missing"),
    "birth_date": ("same", "near", "part", "year", "different", "far", "missing"),
    "gender": ("same", "different", "missing"),
    "postcode": ("same", "near", "different", "missing"),
    "address": ("same", "near", "different", "missing"),
    "telephone": ("same", "near", "different", "missing"),
}

_id = validate.Regexp(r"^[A-Za-z0-9][A-Za-z0-9._-]*$", error="must be letters, digits, dots and dashes, no spaces")
_ods = validate.Regexp(r"^[A-Z0-9]{3,10}$", error="must be an organisation code: capitals and digits, at least three")
_some = validate.Length(min=1, error="must not be empty")
_positive = validate.Range(min=1, error="must be 1 or more")
_none_or_more = validate.Range(min=0, error="must be 0 or more")


def _text(**options: Any) -> fields.String:
    return fields.String(required=True, validate=_some, **options)


def _optional() -> fields.String:
    return fields.String(load_default="")


def _names(*, required: bool = True, allowed: tuple[str, ...] = ()) -> fields.List[str]:
    inner = fields.String(validate=validate.OneOf(allowed) if allowed else [])
    if not required:
        return fields.List(inner, load_default=list)
    return fields.List(inner, required=True, validate=_some)


def _codings() -> fields.List[Any]:
    pair: fields.Field[Any] = fields.List(
        fields.String(), validate=validate.Length(equal=2, error="must be [system, code]")
    )
    return fields.List(pair, load_default=list)


class PlaceFile(Schema):
    service_name = _text()
    place_name = _text()
    help_contact = _text()
    withheld_notice = fields.String(required=True)
    tell_withheld = fields.Boolean(load_default=True, truthy={True}, falsy={False})
    categories = fields.Dict(keys=fields.String(validate=_id), values=fields.String(validate=_some), required=True)


class OrganisationEntry(Schema):
    ods = fields.String(required=True, validate=_ods)
    name = _text()
    type = fields.String(required=True, validate=_id)


class RoleEntry(Schema):
    id = fields.String(required=True, validate=_id)
    label = _text()
    purposes = _names(allowed=PURPOSES)
    may = _names(required=False, allowed=MAY)


class StaffEntry(Schema):
    id = fields.String(required=True, validate=_id)
    name = _text()
    organisation = fields.String(required=True, validate=_ods)
    role = _text()
    team = _optional()
    email = _optional()
    identifiers = fields.List(
        fields.String(validate=validate.Regexp(r"^\S+\|\S+$", error='must be "system|value"')), load_default=list
    )


class SourceFileEntry(Schema):
    name = fields.String(required=True, validate=_id)
    label = _text()
    kind = fields.String(required=True, validate=validate.OneOf(sorted(KINDS)))
    organisation = fields.String(required=True, validate=_ods)
    order = fields.Integer(required=True, strict=True, validate=_positive)
    every_minutes = fields.Integer(required=True, strict=True, validate=_positive)
    stale_after_minutes = fields.Integer(required=True, strict=True, validate=_positive)
    url = _optional()
    secret_env = _optional()
    timeout = fields.Float(load_default=10.0, validate=validate.Range(min=0, min_inclusive=False))
    options = fields.Dict(load_default=dict)
    clients_push = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class AgreementEntry(Schema):
    id = fields.String(required=True, validate=_id)
    custodian = _text()
    recipient = _text()
    roles = _names()
    categories = _names()
    purposes = _names(allowed=PURPOSES)
    because = _text()
    sensitivities = _names(required=False)


class RelationshipEntry(Schema):
    kind = fields.String(required=True, validate=validate.OneOf(RELATIONSHIPS))
    grace_days = fields.Integer(required=True, strict=True, validate=validate.Range(min=0, error="must be 0 or more"))
    because = _text()


class LabelEntry(Schema):
    id = fields.String(required=True, validate=_id)
    because = _text()
    category = _optional()
    sensitivities = _names(required=False)
    sources = _names(required=False)
    types = _names(required=False)
    codes = _codings()
    code_sets = fields.List(
        fields.String(
            validate=validate.Regexp(r"^codes/[A-Za-z0-9][A-Za-z0-9._-]*\.csv$", error="must be codes/NAME.csv")
        ),
        load_default=list,
    )
    documents = _codings()
    text = fields.List(fields.String(validate=_some), load_default=list)


class AskingEntry(Schema):
    view = fields.String(load_default="implied", validate=validate.OneOf(("implied", "explicit")))
    permit_gives = _names(required=False, allowed=("agreement", "relationship"))
    needs_consent = _names(required=False)
    objection_yields_to = _names(required=False, allowed=PURPOSES)


class BreakGlassEntry(Schema):
    reviewer = _text()
    minutes = fields.Integer(load_default=60, strict=True, validate=validate.Range(min=1, max=1440))
    review_days = fields.Integer(load_default=3, strict=True, validate=_positive)
    widens = _names(allowed=("relationship", "objection", "view"))
    tell_person = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    reasons = fields.Dict(
        keys=fields.String(validate=_id), values=fields.String(validate=_some), required=True, validate=_some
    )


class SensitivityEntry(Schema):
    id = fields.String(required=True, validate=_id)
    label = _text()
    number = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=16))
    because = _text()
    hidden_from_person = fields.Boolean(load_default=False, truthy={True}, falsy={False})


_hour = validate.Regexp(r"^([01]\d|2[0-3]):[0-5]\d$", error="must be hours and minutes, like 17:00")


class OnDutyEntry(Schema):
    organisation = fields.String(required=True, validate=_ods)
    team = _text()
    days = _names(allowed=("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
    starts = fields.String(required=True, validate=_hour)
    ends = fields.String(required=True, validate=_hour)
    because = _text()


class WatchEntry(Schema):
    name_staff = fields.Boolean(load_default=True, truthy={True}, falsy={False})
    many_people = fields.Integer(load_default=60, strict=True, validate=_positive)
    many_minutes = fields.Integer(load_default=60, strict=True, validate=_positive)
    day_starts = fields.String(load_default="07:00", validate=_hour)
    day_ends = fields.String(load_default="20:00", validate=_hour)
    day_roles = _names(required=False)
    vip = fields.List(
        fields.List(fields.String(), validate=validate.Length(equal=2, error="must be [system, code]")),
        load_default=list,
    )


class LinkingFile(Schema):
    upper = fields.Float(required=True)
    lower = fields.Float(required=True)
    weights = fields.Dict(
        keys=fields.String(),
        values=fields.Dict(keys=fields.String(), values=fields.Float()),
        required=True,
    )

    @validates_schema(skip_on_field_errors=True)
    def every_level_has_a_weight(self, read: dict[str, Any], **_: Any) -> None:
        """Raises ValidationError also for a field or level that nothing is compared by."""
        weights = read["weights"]
        wrong = {field: ["is not compared"] for field in weights.keys() - LEVELS.keys()}
        for field, levels in LEVELS.items():
            given = weights.get(field, {}).keys()
            if lost := [level for level in levels if level != "missing" and level not in given]:
                wrong[field] = [f"gives no weight for {', '.join(lost)}"]
            elif unknown := sorted(given - set(levels)):
                wrong[field] = [f"has no level {', '.join(unknown)}"]
        if wrong:
            raise ValidationError({"weights": wrong})


class SurvivorshipEntry(Schema):
    element = _text()
    sources = _names()
    choose = fields.String(load_default="latest", validate=validate.OneOf(("latest", "all")))


class ScheduleEntry(Schema):
    id = fields.String(required=True, validate=_id)
    label = _text()
    years = fields.Integer(required=True, strict=True, validate=_positive)
    after = fields.String(required=True, validate=validate.OneOf(EVENTS))
    because = _text()
    reference = _text()
    custodians = _names(required=False)
    categories = _names(required=False)
    types = _names(required=False)
    people = fields.String(load_default="any", validate=validate.OneOf(("any", "adults", "children")))
    whose = fields.List(
        fields.List(fields.String(), validate=validate.Length(equal=2, error="must be [system, code]")),
        load_default=list,
    )
    years_if_seen_at_17 = fields.Integer(load_default=0, strict=True, validate=_none_or_more)
    years_after_death = fields.Integer(load_default=0, strict=True, validate=_none_or_more)


def _may_be_sent_to(url: str) -> None:
    """Raises `ValidationError` for what is no address, or one where what is sent could be read on its way."""
    parts = urlsplit(url)
    if parts.username or parts.query or parts.fragment or not parts.hostname:
        raise ValidationError("must be an address without a name, a query or a fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValidationError("must be https; http is for this machine itself, in a demo")


class SubscriberEntry(Schema):
    url = fields.String(required=True, validate=_may_be_sent_to)
    organisation = fields.String(required=True, validate=_ods)
    because = _text()
    private_network = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class WritingEntry(Schema):
    update_creates = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class CdsClientEntry(Schema):
    issuer = _text()
    label = _text()
    organisation = fields.String(required=True, validate=_ods)
    role = _text()
    jwks = fields.String(
        load_default="",
        validate=validate.Regexp(r"^(keys/[A-Za-z0-9][A-Za-z0-9._-]*\.json)?$", error="must be keys/NAME.json"),
    )
    jwks_url = fields.String(load_default="", validate=lambda url: _may_be_sent_to(url) if url else None)
    worker_system = _optional()
    origins = fields.List(fields.String(validate=_may_be_sent_to), load_default=list)

    @validates_schema(skip_on_field_errors=True)
    def has_keys(self, read: dict[str, Any], **_: Any) -> None:
        """Raises ValidationError where there is none of the two, or both."""
        if bool(read["jwks"]) == bool(read["jwks_url"]):
            raise ValidationError({"jwks": ["give either `jwks` or `jwks_url`: by its keys it is known"]})


class EhrEntry(Schema):
    iss = fields.String(
        required=True, validate=[_may_be_sent_to, validate.Regexp(r"^.*[^/]$", error="must not end in /")]
    )
    label = _text()
    organisation = fields.String(required=True, validate=_ods)
    client_id = _text()
    worker_system = _text()
    worker_claim = fields.String(load_default="sub", validate=validate.Regexp(r"^[A-Za-z][A-Za-z0-9_:./-]*$"))
    secret_env = fields.String(
        load_default="",
        validate=validate.Regexp(
            r"^(CARELINK_[A-Z0-9_]+)?$", error="must be the name of an environment variable of ours"
        ),
    )

    @validates_schema(skip_on_field_errors=True)
    def is_no_name(self, read: dict[str, Any], **_: Any) -> None:
        """Raises ValidationError where a worker would be known by what others share or choose."""
        if read["worker_claim"] in ("name", "given_name", "family_name", "nickname", "email"):
            raise ValidationError(
                {"worker_claim": ["must be a claim that is one user's for good, such as sub or fhirUser"]}
            )


# file -> [(name of its array of tables, schema)]; a name of "" is the file itself.
FILES: Mapping[str, tuple[tuple[str, type[Schema]], ...]] = {
    "place.toml": (("", PlaceFile),),
    "organisations.toml": (("organisation", OrganisationEntry),),
    "staff.toml": (("role", RoleEntry), ("staff", StaffEntry)),
    "sources.toml": (("source", SourceFileEntry),),
    "agreements.toml": (("agreement", AgreementEntry),),
    "relationships.toml": (("relationship", RelationshipEntry),),
    "labels.toml": (("label", LabelEntry),),
    "consent.toml": (
        ("consent", AskingEntry),
        ("break_glass", BreakGlassEntry),
        ("sensitivity", SensitivityEntry),
        ("on_duty", OnDutyEntry),
        ("watch", WatchEntry),
    ),
    "retention.toml": (("schedule", ScheduleEntry),),
    "linking.toml": (("", LinkingFile),),
    "survivorship.toml": (("element", SurvivorshipEntry),),
    "systems.toml": (
        ("writing", WritingEntry),
        ("subscriber", SubscriberEntry),
        ("cds_client", CdsClientEntry),
        ("ehr", EhrEntry),
    ),
}
OPTIONAL = frozenset({"systems.toml"})  # a pack without it has none of what it would name


def wrongs(schema: type[Schema], entry: object) -> tuple[dict[str, Any], dict[tuple[str | int, ...], str]]:
    """The entry as the schema reads it, and what is wrong with it: key path -> why."""
    try:
        return dict(schema().load(entry)), {}  # type: ignore[arg-type]
    except ValidationError as error:
        return {}, dict(_flat(error.messages, ()))


def _flat(messages: object, path: tuple[str | int, ...]) -> list[tuple[tuple[str | int, ...], str]]:
    if isinstance(messages, Mapping):
        return [
            pair
            for key, inner in messages.items()
            for pair in _flat(inner, path if key in ("key", "value", "_schema") else (*path, key))
        ]
    return [(path, " ".join(map(str, messages if isinstance(messages, list) else [messages])))]
