{#-
    A text with a time in ISO 8601, with any offset, as a timestamp in UTC; without an offset it is UTC already.
    Null when it is no such time: only what a text says is read, never a guess. Years 0001 to 9999, offsets up to 14 hours;
    T and Z in either case, a blank for T or before the offset, a comma for the decimal point; digits beyond microseconds
    are cut off; 24:00 is the midnight that ends the day.
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
    {%- set clock = "'T' || replace(" ~ iso_clock(text) ~ ", 'UTC', 'Z')" -%}
    {%- set time = "(substr(" ~ text ~ ", 1, 10) || case when length(" ~ text ~ ") > 10 then " ~ clock ~ " else '' end)" -%}
    (case
        when
            (cast({{ column }} as varchar) like '____-__-__T__:__:__.___Z' or {{ column }} like '____-__-__T__:__:__Z')
            and try_cast({{ column }} as timestamp) >= timestamp '0001-01-01'
            then try_cast({{ column }} as timestamp)
        when regexp_full_match({{ text }}, '{{ iso_time() }}')
            then coalesce(
                try_cast({{ time }} as timestamptz),
                try_strptime(replace({{ time }}, 'Z', '+00:00'), '%Y-%m-%dT%H:%M%z')
            ) at time zone 'UTC' + {{ iso_extra_day(text) }}
    end)
{%- endmacro %}

{# The engine wants seconds, and a colon in the offset. #}
{% macro spark__utc_timestamp(column) -%}
    {%- set text = "replace(upper(trim(cast(" ~ column ~ " as string))), ',', '.')" -%}
    {%- set clock = "regexp_replace(" ~ iso_clock(text) ~ ", '^([0-9]{2}:[0-9]{2})(Z|UTC|[+-]|$)', '$1:00$2')" -%}
    {%- set clock = "'T' || regexp_replace(" ~ clock ~ ", '([+-][0-9]{2})([0-9]{2})$', '$1:$2')" -%}
    {%- set time = "(substr(" ~ text ~ ", 1, 10) || case when length(" ~ text ~ ") > 10 then " ~ clock ~ " else '' end)" -%}
    (case
        when {{ text }} rlike '^({{ iso_time() }})$' then try_cast({{ time }} as timestamp) + {{ iso_extra_day(text) }}
    end)
{%- endmacro %}

{# What follows the date, without blanks, and with 00:00 for 24:00: `iso_extra_day` adds the day. #}
{% macro iso_clock(text) -%}
    (case when substr({{ text }}, 12, 2) = '24' then '00' else substr({{ text }}, 12, 2) end
    || replace(substr({{ text }}, 14), ' ', ''))
{%- endmacro %}

{% macro iso_extra_day(text) -%}
    case when substr({{ text }}, 12, 2) = '24' then interval 1 day else interval 0 day end
{%- endmacro %}

{% macro iso_time() -%}
    {%- set hours = '(([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?|24:00(:00([.]0+)?)?)' -%}
    {%- set offset = '( ?(Z|UTC|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?))?' -%}
    (000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-[0-9]{2}-[0-9]{2}([T ]{{ hours }}{{ offset }})?
{%- endmacro %}
