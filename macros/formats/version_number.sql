{#- Which of its record's versions an accepted row is, in the order of `told_by`: 1 for the first. Null for a row that is none. -#}
{% macro version_number(key, told_by) -%}
    case
        when record_status = 'accepted'
            then row_number() over (partition by {{ key }}, record_status order by {{ told_by | join(', ') }})
    end
{%- endmacro %}
