{#- The first day of events that the trailing windows of the features computed in this run reach back to, as a literal. -#}
{% macro first_event_day(days=90) -%}
    {%- if is_incremental() -%}
        {{ days_after(replaced_from('feature_at'), -days - 1) }}
    {%- else -%}
        date '0001-01-01'
    {%- endif -%}
{%- endmacro %}
