-- Nothing disappears between reading and staging: read = landed + unchanged, landed = accepted + rejected + duplicate.
select
    source,
    table_name,
    source_file,
    load_id,
    records_read,
    records_unchanged,
    records_landed,
    records_accepted,
    records_rejected,
    records_duplicate,
    records_read - records_landed - records_unchanged as missing_while_landing,
    records_landed - records_accepted - records_rejected - records_duplicate as missing_in_staging
from {{ ref('landed_records') }}
where
    records_read <> records_landed + records_unchanged
    or records_landed <> records_accepted + records_rejected + records_duplicate
