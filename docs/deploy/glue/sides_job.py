"""The script of the Glue job over two sides: put it on S3 beside the wheel.

For a model of your own, write here::

    from acme_loans import MODEL

    if __name__ == "__main__":
        main(model=MODEL)
"""

from aspen_etl.aws.sides_job import main

if __name__ == "__main__":
    main()
