"""What a dlt user writes for the API of api.py: run by a Python that has dlt, with the API's address."""

import sys

import dlt
from dlt.sources.rest_api import rest_api_source

source = rest_api_source(
    {
        "client": {
            "base_url": sys.argv[1],
            "paginator": {"type": "cursor", "cursor_path": "next_offset", "cursor_param": "offset"},
        },
        "resources": [
            {
                "name": "subscriptions",
                "primary_key": "id",
                "endpoint": {"path": "subscriptions", "data_selector": "list[*].subscription"},
            }
        ],
    }
)
pipeline = dlt.pipeline("bench", destination="duckdb", dataset_name="billing")
pipeline.run(source)
