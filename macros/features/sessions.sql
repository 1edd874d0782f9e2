{#- Whether a session begins with an event: there is none before it, or a longer pause than a session has. -#}
{% macro begins_session() -%}
    (previous_event_at is null or event_at - previous_event_at > interval '{{ var("session_gap_minutes") }}' minute)
{%- endmacro %}

{#- A query over the moments of a CTE, each with when what it belongs to began, cut wherever a session may begin. `of` says whose. -#}
{% macro cut_at_pauses(moments, of, began_at) %}
    select
        preceded.*,
        max(case when {{ begins_session() }} then event_at end)
            over (partition by {{ of }} order by event_at range unbounded preceding) as {{ began_at }}
    from (
        select
            moments.*,
            lag(event_at) over (partition by {{ of }} order by event_at) as previous_event_at
        from {{ moments }} as moments
    ) as preceded
{% endmacro %}
