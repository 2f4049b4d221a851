"""Runs a job of the lakehouse on Spark: on AWS Glue, and on a laptop."""

__version__ = "0.1.0"
"""That of package.json, which a test holds. A run's summary names it."""
