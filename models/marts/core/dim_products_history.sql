with versions as (

    select * from {{ ref('int_products__versioned') }}

),

compared as (

    select
        versions.*,
        lag(valid_to) over product_versions as previous_valid_to,
        lag(price) over product_versions as previous_price,
        lag(source_price) over product_versions as previous_source_price,
        lag(source_list_price) over product_versions as previous_source_list_price,
        lag(availability) over product_versions as previous_availability,
        lag(product_type) over product_versions as previous_product_type,
        lag(brand) over product_versions as previous_brand,
        lag(title) over product_versions as previous_title
    from versions
    window product_versions as (partition by product_id order by feed_date)

),

-- A version begins where anything changed, or where the product was listed again.
begun as (

    select
        compared.*,
        (
            previous_valid_to is distinct from valid_from
            or previous_price is distinct from price
            or previous_source_price is distinct from source_price
            or previous_source_list_price is distinct from source_list_price
            or previous_availability is distinct from availability
            or previous_product_type is distinct from product_type
            or previous_brand is distinct from brand
            or previous_title is distinct from title
        ) as is_new
    from compared

),

numbered as (

    select
        begun.*,
        count_if(is_new) over (
            partition by product_id
            order by feed_date
            rows between unbounded preceding and current row
        ) as version_number
    from begun

)

select
    product_id,
    min(valid_from) as valid_from,
    max(valid_to) as valid_to,
    min(known_at) as known_at,
    min(title) as title,
    min(brand) as brand,
    min(category) as category,
    min(product_type) as product_type,
    min(availability) as availability,
    min(source_currency) as source_currency,
    cast(min(source_list_price) as decimal(18, 2)) as source_list_price,
    cast(min(source_price) as decimal(18, 2)) as source_price,
    min(price) as price
from numbered
group by product_id, version_number
