"""What runs the pipeline: thin Python over dlt, dbt and DuckDB."""
