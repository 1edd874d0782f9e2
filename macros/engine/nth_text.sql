{#- The nth element, counted from 1, of what `json_texts` read. -#}
{% macro nth_text(texts, position) -%}
    {{ adapter.dispatch('nth_text')(texts, position) }}
{%- endmacro %}

{% macro default__nth_text(texts, position) -%}
    {{ texts }}[{{ position }}]
{%- endmacro %}

{% macro spark__nth_text(texts, position) -%}
    {{ texts }}[{{ position - 1 }}]
{%- endmacro %}
