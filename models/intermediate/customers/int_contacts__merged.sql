-- Into which contact each was merged, and from when that was known: a contact that survives names those it took in.
with contacts as (

    select
        contact_id,
        merged_contact_ids,
        updated_at
    from {{ ref('int_contacts__versioned') }}
    where merged_contact_ids is not null

),

named as (

    select
        contact_id,
        updated_at,
        {{ exploded(split_text('merged_contact_ids', ';')) }} as merged_contact_id
    from contacts

),

step_1 as (

    select
        trim(merged_contact_id) as contact_id,
        contact_id as survivor_id,
        min(updated_at) as merged_at
    from named
    where trim(merged_contact_id) not in ('', contact_id)
    group by trim(merged_contact_id), contact_id

),

-- A survivor may be merged again, which may be known before or after: four in a row are followed.
{% for step in range(2, 5) %}
step_{{ step }} as (

    select
        step_{{ step - 1 }}.contact_id,
        further.survivor_id,
        greatest(step_{{ step - 1 }}.merged_at, further.merged_at) as merged_at
    from step_{{ step - 1 }}
    inner join step_1 as further on step_{{ step - 1 }}.survivor_id = further.contact_id
    where step_{{ step - 1 }}.contact_id <> further.survivor_id

),
{% endfor %}

merged as (

    {% for step in range(1, 5) %}
    select
        contact_id,
        survivor_id,
        {{ step }} as steps,
        merged_at
    from step_{{ step }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

survived as (

    select
        contact_id,
        survivor_id,
        min(merged_at) as merged_at,
        max(steps) as steps
    from merged
    group by contact_id, survivor_id

)

-- Of two survivors that became known at once, the one behind the other.
select
    contact_id,
    survivor_id,
    merged_at as valid_from,
    coalesce(
        lead(merged_at) over (partition by contact_id order by merged_at, steps, survivor_id),
        timestamp '9999-12-31 00:00:00'
    ) as valid_to
from survived
