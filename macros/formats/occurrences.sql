{#-
    Keeps each row of `relation` and numbers what bears one key in one reading of one file and says something else (`occurrence`): an
    order may list a product twice, a till number two lines alike. Read again, a line keeps the number of what stood at its place.
    `key`, `stated_at` and `said` as in `known_from`.
-#}
{% macro occurrences(relation, key, stated_at, said) -%}
    {%- set whose = key | join(', ') ~ ', reject_reason is null, ' ~ stated_at ~ ', source_file' -%}
    select
        ranked.*,
        cast(
            first_value(rank_in_reading) over (partition by {{ whose }}, source_line order by landed_at, load_id) as bigint
        ) as occurrence
    from (
        select
            {{ relation }}.*,
            dense_rank() over (partition by {{ whose }}, load_id order by {{ said }}) as rank_in_reading
        from {{ relation }}
    ) as ranked
{%- endmacro %}
