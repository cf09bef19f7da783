"""Work that waits for somebody else's server is done apart, by a few threads: who is slow holds nobody up."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import structlog
from sqlalchemy.exc import OperationalError

log = structlog.get_logger()
AT_ONCE = 8  # threads of one process

_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="carelink-apart")
_begun: set[Future[None]] = set()


def begin(work: Callable[[], object]) -> None:
    """Do it apart, soon. A row whose work was lost with the process is handed over again, as every row is."""
    future = _threads.submit(_quietly, work)
    _begun.add(future)
    future.add_done_callback(_begun.discard)


def settled(seconds: float = 30.0) -> None:
    """Wait until nothing that was begun is still at work, or so long."""
    wait(list(_begun), timeout=seconds)


def _quietly(work: Callable[[], object]) -> None:
    try:
        work()
    except OperationalError as away:
        log.warning("the database is away; this is done later", why=type(away).__name__)
