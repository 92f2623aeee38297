"""Erasing persons as a Dagster job."""

import dagster as dg

from metrics_pipeline.assets.content import POOL
from metrics_pipeline.automation.jobs import DAYS_TAG, ERASE_PEOPLE
from metrics_pipeline.pipeline import Pipeline


@dg.op(description="Takes people who asked for it out of every table, file and inbox.", pool=POOL)
def erase_requested(context: dg.OpExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> None:
    from metrics_pipeline.erasing import run_erasures  # not at every start: it loads cryptography

    done = run_erasures(pipeline)
    context.log.info(
        f"{len(done.erased)} people erased, {done.rows} rows, {len(done.days)} days counted anew; "
        f"{len(done.completed)} completed, {done.forsaken} files wait to become old enough"
    )
    if done.days:
        days = f"{done.days[0].isoformat()}/{done.days[-1].isoformat()}"
        context.instance.add_run_tags(context.run.run_id, {DAYS_TAG: days})


@dg.job(name=ERASE_PEOPLE, description="Carries out requests to erase a person; run configuration never names one.")
def erasure_job() -> None:
    erase_requested()
