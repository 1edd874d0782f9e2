{#-
    What each day of `key` came to, from the day that became known until something else did (`next_known_date`): a query over
    the tiles of a CTE. `measures` are summed up so far, `columns` come along. In doubles, which add up whole numbers of up to
    16 digits exactly, and faster than bigints.
-#}
{% macro day_versions(tiles, key, measures, columns=[]) -%}
    {%- set day = key + ['event_date'] %}
    {%- set same_day -%}
        {% for column in day %}tiles.{{ column }} = late_days.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
    {%- endset %}
    with late_days as (

        select
            {{ day | join(',\n            ') }}
        from {{ tiles }}
        where known_date <> event_date
        group by {{ day | join(', ') }}

    )

    -- Of most days all is known when they end: they have one tile, and nothing to add up.
    select
        {{ (day + columns) | join(',\n        ') }},
        known_date,
        cast(null as date) as next_known_date,
        {%- for measure in measures %}
        cast({{ measure }} as double) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ tiles }} as tiles
    anti join late_days on {{ same_day }}

    union all

    select
        {{ (day + columns) | join(',\n        ') }},
        known_date,
        lead(known_date) over so_far as next_known_date,
        {%- for measure in measures %}
        sum(cast({{ measure }} as double)) over so_far as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ tiles }} as tiles
    semi join late_days on {{ same_day }}
    window so_far as (
        partition by {{ day | join(', ') }}
        order by known_date
        rows between unbounded preceding and current row
    )
{%- endmacro %}
