"""What every Glue job runs: it makes one table, by the job's manifest and its SQL, or forgets a person."""

import sys

from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from lakehouse_runner.glue import argument_names, fetch_secret, forget_job, put_metrics, run_job
from pyspark import SparkContext


def main() -> None:
    """Run the job that Glue started."""
    args = getResolvedOptions(sys.argv, argument_names(sys.argv))
    context = GlueContext(SparkContext.getOrCreate())
    job = Job(context)
    # Without it a security configuration does not apply.
    job.init(args["JOB_NAME"], args)
    if "erasure" in args:
        forget_job(context.spark_session, args, fetch_secret)
    else:
        run_job(context.spark_session, args, fetch_secret, put_metrics)
    job.commit()


if __name__ == "__main__":
    main()
