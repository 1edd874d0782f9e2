{#-
    Keeps each row of `relation` and tells those apart that bear one key and moment and say different things (`occurrence`): an order
    may list a product twice, a till number two lines alike. Where the first load holds one line, whatever is said later is said
    of it. Where it holds several, whatever files they are in, each is a line of its own, and what a file says otherwise when it is
    read again is said of what stood at its place. `key`, `stated_at` and `said` as in `known_from`.
-#}
{% macro occurrences(relation, key, stated_at, said) -%}
    {%- set whose = key | join(', ') ~ ', ' ~ stated_at ~ ', reject_reason is null' -%}
    select
        placed.*,
        cast(
            case
                when first_lines > 1
                    then first_value(case when said_since = key_since then said_number else place_number end) over (
                        partition by {{ whose }}, {{ said }}
                        order by load_id, source_file, source_line
                    )
                else 1
            end as bigint
        ) as occurrence
    from (
        select
            numbered.*,
            max(case when said_since = key_since then said_number end) over (partition by {{ whose }}) as first_lines,
            first_value(said_number) over (
                partition by {{ whose }}, source_file, source_line
                order by load_id
            ) as place_number
        from (
            select
                dated.*,
                dense_rank() over (partition by {{ whose }} order by said_since, {{ said }}) as said_number
            from (
                select
                    {{ relation }}.*,
                    min(load_id) over (partition by {{ whose }}) as key_since,
                    min(load_id) over (partition by {{ whose }}, {{ said }}) as said_since
                from {{ relation }}
            ) as dated
        ) as numbered
    ) as placed
{%- endmacro %}
