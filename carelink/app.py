"""create_app(): wires the parts together, nothing else."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from jinja2 import ChoiceLoader, FileSystemLoader
from sqlalchemy import Engine

from carelink.dashboard import (
    audit,
    breakglass,
    breakglass_review,
    capacity,
    consents,
    labelling,
    launching,
    looking_back,
    planning,
    retention,
    signals,
    subject_access,
    view_as,
    why,
)
from carelink.dashboard import blueprint as dashboard
from carelink.errors import Invalid
from carelink.fhir import (
    audit_events,
    authorising,
    binaries,
    endpoint,
    matching,
    meta,
    my_apps,
    smart_configuration,
    summary,
    token_endpoint,
    validate,
)
from carelink.fhir import batches as fhir_batches
from carelink.fhir import blueprint as fhir
from carelink.fhir import cds_hooks as fhir_cds_hooks
from carelink.fhir import consents as fhir_consents
from carelink.fhir import exports as fhir_exports
from carelink.fhir import past as fhir_past
from carelink.fhir import patches as fhir_patches
from carelink.fhir import resources as fhir_resources
from carelink.fhir import searching as fhir_search
from carelink.fhir import subscriptions as fhir_subscriptions
from carelink.fhir import terminology as fhir_terminology
from carelink.fhir import writes as fhir_writes
from carelink.identity.oidc import Provider
from carelink.identity.smart_app import SmartApp
from carelink.place import Place
from carelink.portal import blueprint as portal
from carelink.portal import consents as choices
from carelink.portal import requests as my_requests
from carelink.portal import who_looked
from carelink.settings import Settings
from carelink.web import access_log, failures, headers, rendering, session, systems, transaction
from carelink.web.blueprint import blueprint as web
from carelink.web.parts import Parts

STATIC = Path(__file__).resolve().parent / "static"


_OF_SYSTEMS = (
    fhir.blueprint,
    audit_events.blueprint,
    fhir_consents.blueprint,
    fhir_resources.blueprint,
    fhir_writes.blueprint,
    binaries.blueprint,
    validate.blueprint,
    fhir_batches.blueprint,
    fhir_subscriptions.blueprint,
    fhir_cds_hooks.blueprint,
    fhir_search.blueprint,
    matching.blueprint,
    meta.blueprint,
    summary.blueprint,
    fhir_past.blueprint,
    fhir_patches.blueprint,
    fhir_exports.blueprint,
    fhir_terminology.blueprint,
    token_endpoint.blueprint,
    smart_configuration.blueprint,
)


def create_app(settings: Settings, place: Place, engine: Engine) -> Flask:
    """The web application. Raises `Invalid` where it can't be run safely."""
    if not settings.secret_key:
        raise Invalid("CARELINK_SECRET_KEY", "must be set: sessions and tokens are signed with it")
    app = rendering.CareLinkFlask("carelink.web", static_folder=str(STATIC), static_url_path="/static")
    app.url_map.merge_slashes = False  # a doubled slash is a wrong address, not a redirect page
    app.jinja_loader = ChoiceLoader([FileSystemLoader(rendering.HERE / "templates"), rendering.nhsuk_loader()])
    provider = Provider(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret)
    app.extensions["carelink"] = Parts(settings, place, engine, provider, SmartApp.of(place))
    app.config.update(MAX_CONTENT_LENGTH=5_000_000, SEND_FILE_MAX_AGE_DEFAULT=31_536_000)
    for part in (transaction, access_log, rendering, failures):
        part.install(app)
    systems.install(
        app, {"/fhir": fhir.failed, "/cds-services": fhir_cds_hooks.failed, "/oauth2": token_endpoint.failed}
    )
    headers.install(app, settings)
    session.install(app, settings)
    endpoint.install(app, settings, place)
    fhir_terminology.install(app, place)
    csrf = CSRFProtect(app)
    for blueprint in (web, dashboard.blueprint, portal.blueprint):
        app.register_blueprint(blueprint)
    for blueprint in (consents.blueprint, choices.blueprint, capacity.blueprint):
        app.register_blueprint(blueprint)
    app.register_blueprint(labelling.blueprint)
    for blueprint in (breakglass.blueprint, breakglass_review.blueprint, looking_back.blueprint, view_as.blueprint):
        app.register_blueprint(blueprint)
    for blueprint in (why.blueprint, planning.blueprint, authorising.blueprint, my_apps.blueprint, launching.blueprint):
        app.register_blueprint(blueprint)
    for blueprint in (audit.blueprint, signals.blueprint, who_looked.blueprint):
        app.register_blueprint(blueprint)
    for blueprint in (subject_access.blueprint, retention.blueprint, my_requests.blueprint):
        app.register_blueprint(blueprint)
    for blueprint in _OF_SYSTEMS:
        app.register_blueprint(csrf.exempt(blueprint))  # no cookie speaks for a system, so there is nothing to forge
    return app
