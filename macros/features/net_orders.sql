{#-
    1 on the day an order first became known, -1 on the day its cancellation did, else 0: adds up to the orders that
    stand. Lines of one order may become known on different days; the order itself does so once.
-#}
{% macro net_orders(whole_order) -%}
    cast(
        case when is_ordered and known_date = min(case when is_ordered then known_date end) over {{ whole_order }} then 1 else 0 end
        - case when is_cancelled and known_date = min(case when is_cancelled then known_date end) over {{ whole_order }} then 1 else 0 end
        as bigint
    )
{%- endmacro %}
