{#-
    Whether a time, read without fault, cannot be true: before `earliest_date`, or more than a day after the record landed
    (a clock may be in another zone). One record of the year 9999 would move what serving takes for now.
-#}
{% macro is_implausible(time) -%}
    ({{ time }} < timestamp '{{ var("earliest_date") }}' or {{ time }} > landed_at + interval 1 day)
{%- endmacro %}
