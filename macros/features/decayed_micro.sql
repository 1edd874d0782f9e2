{#- What is left after `age` days when it halves every `affinity_half_life_days`, in whole millionths: sums are the same in any order. -#}
{% macro decayed_micro(age) -%}
    cast(round(1000000 * power(0.5, cast({{ age }} as double) / {{ var('affinity_half_life_days') }})) as bigint)
{%- endmacro %}
