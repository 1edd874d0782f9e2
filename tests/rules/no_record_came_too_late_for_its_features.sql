-- Features of days more than `late_days` before do not hold these: `dbt build --full-refresh` counts them.
{{ config(severity='warn') }}

select * from {{ ref('late_records') }}
