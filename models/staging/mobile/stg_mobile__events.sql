{{ config(materialized='view') }}

{{ judged_apart(
    ref('base_mobile__events'),
    key='event_id',
    first_by=['known_at', 'source_file', 'source_line', 'source_key'],
) }}
