"""The script of the Glue job: put it on S3 beside the wheel; template.yaml points at it.

For a model of your own, put the wheel of your package into ExtraWheels too, and write here::

    from acme_loans import MODEL

    main(model=MODEL)
"""

from aspen_etl.aws.glue_job import main

main()
