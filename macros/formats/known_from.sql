{#-
    From when what a landed row says was known: `stated_at`, the time that its file tells, but since the row landed where the file
    had been read before and said otherwise (it may change after that). Where another statement lies between the two, it comes too
    late. `key` tells whose row it is, `said` is the column with what it says, null in none. Of a relation with `reject_reason`:
    what was rejected has said nothing.
-#}
{% macro known_from(key, stated_at, said) -%}
    {%- set whose = key | join(', ') ~ ', reject_reason is null' -%}
    {%- set readings -%}
        over (partition by {{ whose }}, {{ stated_at }}, source_file order by landed_at, load_id, source_line)
    {%- endset -%}
    case
        when
            load_id <> first_value(load_id) {{ readings }}
            and {{ said }} <> lag({{ said }}) {{ readings }}
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
