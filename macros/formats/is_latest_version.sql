{#- Whether an accepted row is the last of its record's versions by `last_by`, which has to order them totally. -#}
{% macro is_latest_version(key, last_by) -%}
    record_status = 'accepted'
    and row_number() over (
        partition by {{ key }}, record_status
        order by {{ last_by | join(' desc nulls last, ') }} desc nulls last
    ) = 1
{%- endmacro %}
