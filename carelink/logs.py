"""Logs of every process: a line of JSON each, to standard error, without personal data."""

from __future__ import annotations

import logging
import os
import sys

import structlog

LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def to_stderr(usual: str) -> None:
    """From the level that CARELINK_LOG names (info, warning, error), else from `usual`."""
    level = LEVELS.get(os.environ.get("CARELINK_LOG", "").lower(), LEVELS[usual])
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
