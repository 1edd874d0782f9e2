{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='fail') }}

{{ checked_segment_events('raw_mobile', only_new=is_incremental()) }}
