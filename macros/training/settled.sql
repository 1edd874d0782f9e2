{#- A measure to seven digits: further on it depends on the order in which an engine adds up, which is another every time. -#}
{% macro settled(measure) -%}
    cast(cast({{ measure }} as float) as double)
{%- endmacro %}
