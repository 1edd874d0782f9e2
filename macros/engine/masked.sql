{#- A text with every letter as x and every digit as 9: its shape without what it says. -#}
{% macro masked(column) -%}
    {{ adapter.dispatch('masked')(column) }}
{%- endmacro %}

{% macro default__masked(column) -%}
    regexp_replace(regexp_replace({{ column }}, '\p{L}', 'x', 'g'), '\p{N}', '9', 'g')
{%- endmacro %}

{% macro spark__masked(column) -%}
    regexp_replace(regexp_replace({{ column }}, '\\p{L}', 'x'), '\\p{N}', '9')
{%- endmacro %}
