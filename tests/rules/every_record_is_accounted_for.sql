-- Nothing disappears between reading and staging: read = landed + unchanged, landed = accepted + rejected + duplicate.
with lost as (

    select
        *,
        source || '.' || table_name || ' ' || source_file || ' (load ' || load_id || '): '
        || records_read || ' read = ' || records_landed || ' landed + ' || records_unchanged || ' unchanged, '
        || (records_read - records_landed - records_unchanged) || ' missing; '
        || records_landed || ' landed = ' || records_accepted || ' accepted + ' || records_rejected || ' rejected + '
        || records_duplicate || ' duplicate, '
        || (records_landed - records_accepted - records_rejected - records_duplicate) || ' missing' as message
    from {{ ref('landed_records') }}
    where
        records_read <> records_landed + records_unchanged
        or records_landed <> records_accepted + records_rejected + records_duplicate

)

select
    count(*) as places,
    min(message) as first_place
from lost
having
    count(*) > 0
    and {{ raised("cast(count(*) as string) || ' places do not add up. ' || min(message)", when='count(*) > 0') }}
