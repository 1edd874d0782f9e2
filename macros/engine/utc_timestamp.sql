{#-
    A text with a time in ISO 8601, with any offset, as a timestamp in UTC; without an offset it is UTC already.
    Null when it is no such time: only what a text says is read, never a guess. Years 0001 to 9999, offsets up to 14 hours;
    T and Z in either case, a comma for the decimal point, digits beyond microseconds cut off.
-#}
{% macro utc_timestamp(column) -%}
    {{ adapter.dispatch('utc_timestamp')(column) }}
{%- endmacro %}

{#
    A plain cast to timestamp would drop the offset; a cast to timestamptz wants seconds where there is an offset, and takes
    words such as "infinity" for times. Most times end in Z, and for those the plain cast is right, at a fifth of the cost.
#}
{% macro default__utc_timestamp(column) -%}
    {%- set text = "replace(upper(trim(cast(" ~ column ~ " as varchar))), ',', '.')" -%}
    (case
        when cast({{ column }} as varchar) like '____-__-__T%Z' and try_cast({{ column }} as timestamp) is not null
            then try_cast({{ column }} as timestamp)
        when regexp_full_match({{ text }}, '{{ iso_time() }}')
            then coalesce(
                try_cast({{ text }} as timestamptz),
                try_strptime(replace({{ text }}, 'Z', '+00:00'), '%Y-%m-%dT%H:%M%z')
            ) at time zone 'UTC'
    end)
{%- endmacro %}

{% macro spark__utc_timestamp(column) -%}
    {%- set text = "replace(upper(trim(cast(" ~ column ~ " as string))), ',', '.')" -%}
    case
        when {{ text }} rlike '^{{ iso_time() }}$'
            then coalesce(
                try_cast({{ text }} as timestamp),
                try_to_timestamp(replace({{ text }}, 'T', ' '), 'yyyy-MM-dd HH:mmXXX')
            )
    end
{%- endmacro %}

{% macro iso_time() -%}
    [0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?( ?(Z|UTC|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?))?)?
{%- endmacro %}
