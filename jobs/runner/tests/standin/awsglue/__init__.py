"""Stands in for AWS's package of the same name, which is on Glue only.

It does what the runner sees of it, by the sources that AWS published (github.com/awslabs/aws-glue-libs). What
Glue's JVM does behind it is not modelled.
"""
