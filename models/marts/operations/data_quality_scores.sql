{%- set dimensions = ['completeness', 'validity', 'uniqueness', 'consistency', 'timeliness'] -%}
with days as (

    select * from {{ ref('int_record_days__measured') }}

),

weights as (

    select * from {{ ref('quality_weights') }}

),

measures as (

    select
        source,
        table_name,
        quality_date,
        records,
        records_accepted,
        records_rejected,
        records_duplicate,
        cast(values_filled as double) / nullif(values_expected, 0) as completeness,
        cast(records_accepted as double) / nullif(records_accepted + records_rejected, 0) as validity,
        cast(records - records_duplicate as double) / records as uniqueness,
        cast(keys_found as double) / nullif(keys_given, 0) as consistency,
        cast(records_accepted - records_late as double) / nullif(records_accepted, 0) as timeliness
    from days

),

weighed as (

    select
        {%- for dimension in dimensions %}
        max(case when dimension = '{{ dimension }}' then cast(weight as double) end) as {{ dimension }}_weight,
        {%- endfor %}
        count(*) as dimensions
    from weights

),

-- What cannot be said has no weight.
scored as (

    select
        measures.*,
        (
            {%- for dimension in dimensions %}
            {{ '+ ' if not loop.first }}coalesce(measures.{{ dimension }} * weighed.{{ dimension }}_weight, 0)
            {%- endfor %}
        ) / nullif(
            {%- for dimension in dimensions %}
            {{ '+ ' if not loop.first -}}
            case when measures.{{ dimension }} is null then 0 else weighed.{{ dimension }}_weight end
            {%- endfor %},
            0
        ) as score
    from measures
    cross join weighed

)

select * from scored
