{{ config(materialized='incremental', unique_key='valid_to') }}

with products as (

    select * from {{ ref('stg_catalog__products') }}
    where record_status = 'accepted'

),

rates as (

    select * from {{ ref('int_conversion_rates__crossed') }}

),

feed_days as (

    select
        feed_date,
        coalesce(
            cast(lead(feed_date) over (order by feed_date) as timestamp), timestamp '9999-12-31 00:00:00'
        ) as valid_to
    from (
        select feed_date from products
        group by feed_date
    ) as days

),

-- A product that the next feed no longer lists is delisted on that feed's day.
versioned as (

    select
        products.product_id,
        cast(products.feed_date as timestamp) as valid_from,
        feed_days.valid_to,
        cast(products.feed_date as timestamp) as known_at,
        products.feed_date,
        products.title,
        products.brand,
        products.product_type,
        split_part(products.product_type, ' > ', 1) as category,
        products.item_group_id,
        products.color,
        products.size,
        products.availability,
        products.availability = 'in_stock' as is_in_stock,
        products.currency as source_currency,
        products.price as source_list_price,
        case
            when
                products.sale_price is not null
                and (
                    products.sale_starts_at is null
                    or (
                        cast(products.feed_date as timestamp) >= products.sale_starts_at
                        and cast(products.feed_date as timestamp) < products.sale_ends_at
                    )
                )
                then products.sale_price
            else products.price
        end as source_price
    from products
    inner join feed_days on products.feed_date = feed_days.feed_date
    -- A feed holds until the next: a new one ends the one before it.
    where feed_days.valid_to >= {{ replaced_from('valid_to') }}

),

priced as (

    select
        versioned.*,
        cast(versioned.source_price as double)
        * case
            when versioned.source_currency = '{{ var("reporting_currency") }}' then 1
            else rates.conversion_rate
        end as price
    from versioned
    left join rates
        on versioned.source_currency = rates.source_currency
        and versioned.valid_from >= rates.valid_from
        and versioned.valid_from < rates.valid_to

)

select * from priced
