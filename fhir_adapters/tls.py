"""Whom we trust on a connection, and the certificate that we show: the Spine and many trusts ask for one."""

from __future__ import annotations

import ssl

from fhir_adapters.source import SourceFailed, SourceSettings


def tls_of(settings: SourceSettings) -> ssl.SSLContext | bool:
    """From the source's options: `ca_file` (PEM, instead of the public authorities), `client_certificate` and
    `client_key` (PEM). True where it has none: the public authorities. Raises SourceFailed where a file is no use.
    """
    options = settings.options
    ca_file, certificate = options.get("ca_file"), options.get("client_certificate")
    if not ca_file and not certificate:
        return True
    try:
        context = ssl.create_default_context(cafile=ca_file)
        if certificate:
            context.load_cert_chain(certificate, options.get("client_key"))
    except (OSError, ssl.SSLError) as wrong:
        why = "options.ca_file, client_certificate or client_key names no usable PEM file"
        raise SourceFailed(settings.name, why) from wrong
    return context
