{{ config(materialized='view') }}

-- Whose a sale was said to be: a file may say otherwise of its lines later. What it adds to them says nothing of that.
with versions as (
    select
        order_id,
        known_at,
        loyalty_id,
        first_known_at,
        order_known_at,
        coalesce(
            lead(known_at) over (partition by order_id, line_number, occurrence order by known_at),
            timestamp '9999-12-31 00:00:00'
        ) as next_known_at
    from {{ ref('stg_store__transactions') }}
    where record_status = 'accepted'
),

first_lines as (
    select * from versions
    where first_known_at = order_known_at
),

moments as (
    select
        order_id,
        known_at
    from first_lines
    group by order_id, known_at
)

-- Whoever changes one line says nothing of the others.
select
    moments.order_id,
    moments.known_at,
    row_number() over (partition by moments.order_id order by moments.known_at) as version_number,
    cast(null as string) as account_id,
    cast(null as string) as email_hash,
    max(first_lines.loyalty_id) as loyalty_id
from moments
inner join first_lines
    on moments.order_id = first_lines.order_id
    and moments.known_at >= first_lines.known_at
    and moments.known_at < first_lines.next_known_at
group by moments.order_id, moments.known_at
