{#-
    What each day of `key` came to, from the day that became known until something else did (`next_known_date`): a query over
    the tiles of a CTE. `measures` are summed up so far, `columns` come along. In doubles, which add up whole numbers of up to
    16 digits exactly, and faster than bigints.
-#}
{% macro day_versions(tiles, key, measures, columns=[]) -%}
    {%- set day = key + ['event_date'] %}
    with late_days as (

        select
            {{ day | join(',\n            ') }}
        from {{ tiles }}
        where known_date <> event_date
        group by {{ day | join(', ') }}

    ),

    -- Of most days all is known when they end: they have one tile, and nothing to add up.
    settled as (

        select tiles.*
        from {{ tiles }} as tiles
        left join late_days
            {%- for column in day %}
            {{ 'on' if loop.first else 'and' }} tiles.{{ column }} = late_days.{{ column }}
            {%- endfor %}
        where late_days.event_date is null

    ),

    unsettled as (

        select tiles.*
        from {{ tiles }} as tiles
        inner join late_days
            {%- for column in day %}
            {{ 'on' if loop.first else 'and' }} tiles.{{ column }} = late_days.{{ column }}
            {%- endfor %}

    )

    select
        {{ (day + columns) | join(',\n        ') }},
        known_date,
        cast(null as date) as next_known_date,
        {%- for measure in measures %}
        cast({{ measure }} as double) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from settled

    union all

    select
        {{ (day + columns) | join(',\n        ') }},
        known_date,
        lead(known_date) over so_far as next_known_date,
        {%- for measure in measures %}
        sum(cast({{ measure }} as double)) over so_far as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from unsettled
    window so_far as (
        partition by {{ day | join(', ') }}
        order by known_date
        rows between unbounded preceding and current row
    )
{%- endmacro %}
