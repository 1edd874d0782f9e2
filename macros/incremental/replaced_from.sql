{#-
    The first day of `column` (known_at, known_date, flagged_date, valid_to; feature_date, feature_at, listed_date) that this
    run computes, as a literal: everything in a full run, and nothing when nothing has landed since the model was last built.

    What landed since then became known on certain days (`int_arrivals__daily`); nothing known before the first of them
    has changed. Facts (known_at, known_date, flagged_date, valid_to, listed_date) begin there, however late they come. Rows of
    features go back no further than `late_days` behind what had been built; they begin a day earlier, for what is known by the
    end of a day may ask for another row of it, and never after the last serving day, whose rows make place for those of the
    next. A model with `meta: {rows_stand: true}` has a row of everything on every day: it begins with the first day that may
    count what is new.
-#}
{% macro replaced_from(column) -%}
    {#- Named here, so that dbt sees at parsing that the model comes after it. -#}
    {%- set arrivals = ref('int_arrivals__daily') -%}
    {%- if not execute or not is_incremental() -%}
        date '0001-01-01'
    {%- else -%}
        {#- A model says it in several places, and the answer may take a look at all of its rows: asked once. -#}
        {%- set answers = model.setdefault('replaced_from', {}) -%}
        {%- if column not in answers -%}
            {%- do answers.update({column: asked_replaced_from(column, arrivals)}) -%}
        {%- endif -%}
        date '{{ answers[column] }}'
    {%- endif -%}
{%- endmacro %}

{#- The day that `replaced_from` says, as it is asked of the warehouse. -#}
{% macro asked_replaced_from(column, arrivals) -%}
    {%- if not is_logged(this.name) -%}
        {{ return('0001-01-01') }}
    {%- endif -%}
    {%- set are_facts = column not in ('feature_at', 'feature_date') -%}
    {%- set rows_stand = config.get('meta', {}).get('rows_stand', false) -%}
    {%- set first_row = days_after('min(known_date)', 1 if rows_stand else -1) -%}
    {%- set first_changed -%}
        select cast(case
            when count(*) = 0 then date '9999-12-31'
            {%- if are_facts %}
            else min(known_date)
            {%- else %}
            -- A source that is connected now brings its history: nothing of it is late.
            when count_if(source not in (select source from {{ build_log() }} where model = '{{ this.name }}')) > 0
                then {{ first_row }}
            -- greatest passes over nulls: of nothing, there is no first day.
            else greatest(
                {{ first_row }},
                -- Late is what lies behind what the model holds: after a long pause all that is new is wanted.
                (
                    select {{ days_after('max(happened_date)', -var('late_days')) }} from {{ arrivals }}
                    where (source, load_id) in (
                        select (source, load_id) from {{ build_log() }}
                        where model = '{{ this.name }}'
                    )
                )
            )
            {%- endif %}
        end as varchar) as first_day
        from {{ arrivals }}
        where (source, load_id) not in (
            select (source, load_id) from {{ build_log() }}
            where model = '{{ this.name }}'
        )
    {%- endset -%}
    {%- set first_day = run_query(first_changed).columns[0].values()[0] -%}
    {%- if column in ('known_at', 'known_date', 'flagged_date', 'valid_to') or first_day == '9999-12-31' -%}
        {{ return(first_day) }}
    {%- endif -%}
    {%- set first_made -%}
        select cast(
            least(
                date '{{ first_day }}',
                (select {{ days_after('cast(max(' ~ column ~ ') as date)', 1 if rows_stand else 0) }} from {{ this }})
            ) as varchar
        ) as first_day
    {%- endset -%}
    {{ return(run_query(first_made).columns[0].values()[0]) }}
{%- endmacro %}

{#- Whether it is known from which loads a model has been built. A table of before that is built anew, whole. -#}
{% macro is_logged(model) -%}
    {%- set log = build_log() -%}
    {%- if adapter.get_relation(database=log.database, schema=log.schema, identifier=log.identifier) -%}
        {{ return(run_query("select count(*) from " ~ log ~ " where model = '" ~ model ~ "'").columns[0].values()[0] > 0) }}
    {%- else -%}
        {{ return(false) }}
    {%- endif -%}
{%- endmacro %}

{#- Where it is kept from which loads each incremental model has been built. -#}
{% macro build_log() -%}
    {{ return(api.Relation.create(
        database=target.database, schema=generate_schema_name('intermediate', none), identifier='built_models'
    )) }}
{%- endmacro %}

{#- Post-hook of the model that all others which ask `replaced_from` come after: two that end at once cannot both make it. -#}
{% macro create_build_log() %}
    create table if not exists {{ build_log() }} (model varchar, source varchar, load_id varchar, built_at timestamp)
{% endmacro %}

{#- Post-hook of a model that asks `replaced_from`, in its transaction: remembers from which loads it has been built. -#}
{% macro remember_built() %}
    {%- set strategies = ('replace_from', 'replace_sessions', 'replace_devices', 'replace_lines', 'delete+insert') %}
    {%- if config.get('materialized') == 'incremental' and config.get('incremental_strategy') in strategies %}
    {%- if not is_incremental() %}
    delete from {{ build_log() }} where model = '{{ this.name }}';
    {%- endif %}
    insert into {{ build_log() }}
    select
        '{{ this.name }}' as model,
        source,
        load_id,
        cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as built_at
    from {{ ref('int_arrivals__daily') }}
    where (source, load_id) not in (select (source, load_id) from {{ build_log() }} where model = '{{ this.name }}')
    group by source, load_id;
    {%- endif %}
{% endmacro %}
