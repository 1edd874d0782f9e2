{#-
    At the end of every run of dbt: adds what each model, seed and snapshot took to `run_costs`. Bytes and memory are not for SQL to
    know: `python -m operate` adds them.
-#}
{% macro remember_costs(results) -%}
    {%- set named = ref('run_costs') -%}
    {#- As it lies there: with `--empty`, `ref` is a query that nothing can be inserted into. -#}
    {%- set costs = adapter.get_relation(named.database, named.schema, named.identifier) if execute else none -%}
    {%- if costs -%}
        {%- set told = [
            'run_id', 'run_started_at', 'schema_name', 'model', 'materialized', 'status', 'seconds', 'table_rows',
            'table_bytes', 'peak_memory_bytes'
        ] -%}
        {%- for result in results
            if result.node.resource_type in ('model', 'seed', 'snapshot') and result.status in ('success', 'error') -%}
            {%- set node = result.node -%}
            {%- set relation = adapter.get_relation(node.database, node.schema, node.alias) -%}
            {{ 'insert into ' ~ costs ~ ' (' ~ told | join(', ') ~ ')' if loop.first else 'union all' }}
            select
                '{{ invocation_id }}' as run_id,
                cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S.%f") }}' as timestamp) as run_started_at,
                '{{ node.schema }}' as schema_name,
                '{{ node.name }}' as model,
                '{{ node.config.materialized }}' as materialized,
                '{{ result.status }}' as status,
                cast({{ result.execution_time }} as double) as seconds,
                {{ '(select count(*) from ' ~ relation ~ ')' if relation and relation.is_table else 'cast(null as bigint)' }} as table_rows,
                cast(null as bigint) as table_bytes,
                cast(null as bigint) as peak_memory_bytes
        {% endfor -%}
    {%- endif -%}
{%- endmacro %}
