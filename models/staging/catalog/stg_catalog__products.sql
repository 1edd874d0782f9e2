with landed as (
    {{ landed('raw_catalog', 'products', {
        'product_id': '$.id',
        'title': '$.title',
        'description': '$.description',
        'availability': '$.availability',
        'price': '$.price',
        'sale_price': '$.sale_price',
        'sale_price_effective_date': '$.sale_price_effective_date',
        'brand': '$.brand',
        'gtin': '$.gtin',
        'condition': '$.condition',
        'google_product_category': '$.google_product_category',
        'product_type': '$.product_type',
        'item_group_id': '$.item_group_id',
        'color': '$.color',
        'size': '$.size'
    }, json_column='fields') }}
),

typed as (
    select
        nullif(trim(product_id), '') as product_id,
        -- The feed has no time of its own: the file's name tells the day it speaks for, or its folder's.
        try_cast(nullif(regexp_extract(source_file, '.*([0-9]{4}-[0-9]{2}-[0-9]{2})', 1), '') as date) as feed_date,
        title,
        description,
        nullif(trim(price), '') as price_text,
        lower(replace(trim(availability), ' ', '_')) as availability,
        {{ decimal_number("split_part(trim(price), ' ', 1)") }} as price,
        upper(nullif(trim(substr(trim(price), length(split_part(trim(price), ' ', 1)) + 1)), '')) as currency,
        nullif(trim(sale_price), '') as sale_price_text,
        {{ decimal_number("split_part(trim(sale_price), ' ', 1)") }} as sale_price,
        nullif(trim(sale_price_effective_date), '') as sale_interval_text,
        {{ utc_timestamp("split_part(sale_price_effective_date, '/', 1)") }} as sale_starts_at,
        {{ utc_timestamp("split_part(sale_price_effective_date, '/', 2)") }} as sale_ends_at,
        nullif(trim(brand), '') as brand,
        gtin,
        condition,
        google_product_category,
        nullif(trim(product_type), '') as product_type,
        nullif(trim(item_group_id), '') as item_group_id,
        nullif(trim(color), '') as color,
        nullif(trim(size), '') as size,
        is_readable,
        source_file,
        source_line,
        source_key,
        content_hash,
        landed_at,
        load_id
    from landed
),

checked as (
    select
        typed.*,
        case
            when not is_readable then 'record does not fit its header'
            when product_id is null then 'id is missing'
            when feed_date is null then 'file name has no date'
            when {{ is_implausible('cast(feed_date as timestamp)') }}
                then 'date in the file name is too early or in the future'
            when price is null and price_text is not null then 'price is no amount'
            when price < 0 then 'price is negative'
            when sale_price is null and sale_price_text is not null then 'sale_price is no amount'
            when sale_price < 0 then 'sale_price is negative'
            when
                sale_price is not null
                and sale_interval_text is not null
                and (sale_starts_at is null or sale_ends_at is null)
                then 'sale_price_effective_date is no interval'
        end as reject_reason
    from typed
),

-- Of the readings of a feed the last by the end of its day counts; what one says that was changed later comes too late.
timed as (
    select
        checked.*,
        landed_at < cast(feed_date as timestamp) + interval 1 day as is_in_time
    from checked
)

{{ judged(
    'timed',
    key=['product_id', 'feed_date'],
    first_by=last_reading_in_time()
) }}
