{#-
    From when what a landed row says was known: `stated_at`, the time that its file tells, but since the row landed where the file
    had been read before and said otherwise (it may change after that). Where another statement lies between the two, it comes too
    late. `key` tells whose row it is, `said` is the column with what it says, null in none. Of a relation with `reject_reason`:
    what was rejected has said nothing. `occurrence` names the column that tells apart the lines that bear one key.
-#}
{% macro known_from(key, stated_at, said, occurrence) -%}
    {%- set whose = key | join(', ') ~ ', reject_reason is null' -%}
    {%- set readings = 'partition by ' ~ whose ~ ', ' ~ stated_at ~ ', source_file' -%}
    {%- set by_time = 'order by landed_at, load_id, source_line' -%}
    case
        when
            load_id <> first_value(load_id) over ({{ readings }} {{ by_time }})
            and coalesce({{ said }} <> lag({{ said }}) over ({{ readings }}, {{ occurrence }} {{ by_time }}), true)
            and coalesce(
                min({{ stated_at }}) over (
                    partition by {{ whose }}
                    order by {{ stated_at }}
                    range between interval 1 microsecond following and unbounded following
                ) > greatest({{ stated_at }}, landed_at),
                true
            )
            then greatest({{ stated_at }}, landed_at)
        else {{ stated_at }}
    end
{%- endmacro %}
