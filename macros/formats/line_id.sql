{#- `number`, a text that tells an order line from others, and for the second and further that bear it which `occurrence` it is. -#}
{% macro line_id(number) -%}
    {{ number }} || case when occurrence > 1 then '#' || cast(occurrence as string) else '' end
{%- endmacro %}
