"""Where it runs: the Lambda handler, the Glue job, the Glue catalogue. Parse, call, report.

Nothing here knows a rule of a model. Clients of AWS are passed in, or made with botocore,
which comes with s3fs; no credential is taken from a setting, only the role's.
"""
