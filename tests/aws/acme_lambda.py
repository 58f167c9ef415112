"""A lender's own function: the handler of its model. The tests put it into the package."""

from acme_loans import MODEL  # type: ignore[import-not-found]  # it is in the package

from aspen_etl.aws.lambda_handler import make_handler

handler = make_handler(model=MODEL)
