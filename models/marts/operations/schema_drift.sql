with filled as (

    select * from {{ ref('int_columns__filled') }}

),

whole as (

    select * from filled
    where column_name = ''

),

added as (

    select
        source,
        table_name,
        column_name,
        min(load_number) as load_number,
        'added' as change
    from filled
    group by source, table_name, column_name
    having min(load_number) > 1

),

-- What was on every record is missed at once; what was on some, when at least twenty of the load's should have had it.
missed as (

    select
        former.source,
        former.table_name,
        former.column_name,
        whole.load_number,
        case when present.column_name is null then 'gone' else 'emptied' end as change
    from filled as former
    inner join whole as whole_before
        on former.source = whole_before.source
        and former.table_name = whole_before.table_name
        and former.load_number = whole_before.load_number
    inner join whole
        on former.source = whole.source
        and former.table_name = whole.table_name
        and former.load_number + 1 = whole.load_number
    left join filled as present
        on whole.source = present.source
        and whole.table_name = present.table_name
        and whole.load_number = present.load_number
        and former.column_name = present.column_name
    where
        former.filled_records > 0
        and coalesce(present.filled_records, 0) = 0
        and (
            former.filled_records = whole_before.records
            or former.filled_records * whole.records >= 20 * whole_before.records
        )

),

retyped as (

    select
        source,
        table_name,
        column_name,
        load_number,
        'retyped' as change
    from (
        select
            filled.*,
            sum(filled_records) over (
                partition by source, table_name, column_name
                order by load_number
                rows between unbounded preceding and 1 preceding
            ) as filled_before
        from filled
    ) as compared
    where
        has_new_type
        and filled_before > 0

),

changes as (

    select * from added
    union all
    select * from missed
    union all
    select * from retyped

),

described as (

    select
        changes.source,
        changes.table_name,
        -- Some send keys that are data: an address names nobody here.
        case
            when changes.column_name like '%@%' then {{ masked('changes.column_name') }}
            else changes.column_name
        end as column_name,
        changes.change,
        former.value_types as former_types,
        present.value_types,
        whole.landed_at as seen_at,
        whole.load_id,
        whole.is_latest_load,
        coalesce(present.source_file, whole.source_file) as source_file,
        coalesce(present.source_line, whole.source_line) as source_line,
        coalesce(present.filled_records, 0) as filled_records,
        whole.records as records_looked_at
    from changes
    inner join whole
        on changes.source = whole.source
        and changes.table_name = whole.table_name
        and changes.load_number = whole.load_number
    left join filled as present
        on changes.source = present.source
        and changes.table_name = present.table_name
        and changes.load_number = present.load_number
        and changes.column_name = present.column_name
    left join filled as former
        on changes.source = former.source
        and changes.table_name = former.table_name
        and changes.load_number - 1 = former.load_number
        and changes.column_name = former.column_name

)

select * from described
