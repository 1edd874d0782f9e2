{#- What a line of a shop's order adds to the order and gives back: below zero it is a return, of all that it is worth. -#}
{% macro shop_line_amounts(quantity, unit_price, discount) -%}
    cast(case when {{ quantity }} < 0 then 0 else {{ unit_price }} * {{ quantity }} end as decimal(18, 4)) as gross_amount,
    case when {{ quantity }} < 0 then cast(0 as decimal(18, 4)) else {{ discount }} end as discount_amount,
    cast(
        case when {{ quantity }} < 0 then {{ discount }} - {{ unit_price }} * {{ quantity }} else 0 end as decimal(18, 4)
    ) as return_amount
{%- endmacro %}
