{#-
    1 where units that stand bring an order to life, -1 where the last of them are taken back, else 0: adds up to the orders
    that stand. `by` are the columns that tell one order, or one product of it, from the others.
-#}
{% macro newly_standing(by) -%}
    cast(
        case when sum(units) over (partition by {{ by }} order by known_date rows unbounded preceding) > 0 then 1 else 0 end
        - case when sum(units) over (partition by {{ by }} order by known_date rows between unbounded preceding and 1 preceding) > 0 then 1 else 0 end
        as bigint
    )
{%- endmacro %}
