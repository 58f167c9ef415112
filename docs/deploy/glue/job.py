"""The script of both Glue jobs: put it on S3 beside the wheel; the templates point at it.

For a model of your own, put the wheel of your package into ExtraWheels too, and write here::

    from acme_loans import MODEL

    if __name__ == "__main__":
        main(model=MODEL)
"""

from aspen_etl.aws.glue_job import main

if __name__ == "__main__":  # workers that are processes import this script
    main()
