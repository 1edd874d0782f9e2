{#- Sums of `measure` over the trailing windows, one column a window: `views` becomes `views_1d`, `views_7d`, … -#}
{% macro windowed_sums(measure, age, windows=[1, 7, 30, 90]) -%}
    {% for days in windows %}
    cast(coalesce(sum(case when {{ age }} <= {{ days }} then {{ measure }} end), 0) as bigint) as {{ measure }}_{{ days }}d{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The same of rows that are alone in their group. -#}
{% macro windowed_values(measure, age, windows=[1, 7, 30, 90]) -%}
    {% for days in windows %}
    cast(case when {{ age }} <= {{ days }} then {{ measure }} else 0 end as bigint) as {{ measure }}_{{ days }}d{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
