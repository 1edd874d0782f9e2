{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='fail') }}

{{ segment_events('raw_mobile') }}
