{#- The id of an order line: `number`, the text that tells it in its order, and for its second and further `occurrences` which. -#}
{% macro line_id(number) -%}
    {{ number }} || case when occurrence > 1 then '#' || cast(occurrence as string) else '' end
{%- endmacro %}
