"""The SQLAlchemy engine: one way to reach PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine

from carelink.db.alive import check_when_taken


def engine_for(url: str, pool: int = 5, *, keeps_plans: bool = False) -> Engine:
    """An engine over psycopg 3 that speaks UTC and checks a pooled connection before use.

    `keeps_plans`: for web processes, which ask the same short questions all the time. PostgreSQL would else plan them
    anew for each person, which takes longer than to answer (decision 34).
    """
    plans = " -c plan_cache_mode=force_generic_plan" if keeps_plans else ""
    plain = url.removeprefix("postgresql+psycopg://").removeprefix("postgresql://")
    engine = create_engine(
        f"postgresql+psycopg://{plain}",
        pool_size=pool,
        max_overflow=pool,
        connect_args={"options": f"-c timezone=UTC{plans}", "application_name": "carelink"},
    )
    check_when_taken(engine)
    return engine
