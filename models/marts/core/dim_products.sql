with versions as (

    select * from {{ ref('int_products__versioned') }}

),

last_feed as (

    select max(feed_date) as feed_date from versions

),

latest as (

    select
        product_id,
        min(feed_date) as first_listed_date,
        max(feed_date) as last_listed_date,
        max_by(title, feed_date) as title,
        max_by(brand, feed_date) as brand,
        max_by(category, feed_date) as category,
        max_by(product_type, feed_date) as product_type,
        max_by(item_group_id, feed_date) as item_group_id,
        max_by(color, feed_date) as color,
        max_by(size, feed_date) as size,
        max_by(availability, feed_date) as availability,
        max_by(price, feed_date) as price
    from versions
    group by product_id

),

-- What was viewed, sold or said to be sold though no feed lists it: no fact loses its product, and no feature of then.
mentioned as (

    select product_id from {{ ref('int_events__unioned') }}
    union
    select product_id from {{ ref('int_order_lines__priced') }}
    union
    select product_id from {{ ref('int_order_changes__told') }}

),

products as (

    select
        coalesce(latest.product_id, mentioned.product_id) as product_id,
        latest.product_id is not null as is_in_catalog,
        coalesce(latest.last_listed_date < last_feed.feed_date, false) as is_delisted,
        latest.title,
        latest.brand,
        latest.category,
        latest.product_type,
        latest.item_group_id,
        latest.color,
        latest.size,
        latest.availability,
        latest.price,
        latest.first_listed_date,
        latest.last_listed_date
    from latest
    full outer join mentioned on latest.product_id = mentioned.product_id
    cross join last_feed

)

select * from products
where product_id is not null
