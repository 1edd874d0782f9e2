-- Of what customers did after a query, how much was among the first candidates: of each source, and of all together.
{%- set cutoffs = [20, 100, 500] %}
with queries as (

    select
        query_id,
        feature_at,
        split
    from {{ ref('int_queries__asked') }}
    where is_matured

),

candidates as (

    select
        query_id,
        product_id,
        source,
        source_rank as place
    from {{ ref('int_candidates__ranked') }}

    union all

    select
        query_id,
        product_id,
        'all' as source,
        candidate_rank as place
    from {{ ref('training_candidates') }}

),

sources as (

    select source from candidates
    group by source

),

wanted as (

    {% for label in ['view', 'cart', 'order'] %}
    select
        labelled.query_id,
        labelled.product_id,
        queries.split,
        '{{ label }}' as label
    from {{ ref('int_queries__labelled') }} as labelled
    inner join queries on labelled.query_id = queries.query_id
    where labelled.label_{{ label }} = 1
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

found as (

    select
        wanted.split,
        wanted.label,
        sources.source,
        {%- for cutoff in cutoffs %}
        cast(count_if(candidates.place <= {{ cutoff }}) as bigint) as found_{{ cutoff }},
        {%- endfor %}
        count(*) as wanted_products
    from wanted
    cross join sources
    left join candidates
        on wanted.query_id = candidates.query_id
        and wanted.product_id = candidates.product_id
        and sources.source = candidates.source
    group by wanted.split, wanted.label, sources.source

),

days as (

    select
        feature_at,
        split
    from queries
    group by feature_at, split

),

offered as (

    select
        days.split,
        count(distinct offered.product_id) as offered_products
    from {{ ref('int_products__offered') }} as offered
    inner join days on offered.feature_at = days.feature_at
    group by days.split

),

asked as (

    select
        split,
        count(*) as queries
    from queries
    group by split

),

covered as (

    select
        queries.split,
        candidates.source,
        count(distinct candidates.query_id) as answered_queries,
        count(distinct candidates.product_id) as proposed_products
    from candidates
    inner join queries on candidates.query_id = queries.query_id
    group by queries.split, candidates.source

)

select
    found.split,
    found.source,
    found.label,
    found.wanted_products,
    {%- for cutoff in cutoffs %}
    cast(found.found_{{ cutoff }} as double) / found.wanted_products as recall_at_{{ cutoff }},
    {%- endfor %}
    coalesce(cast(covered.answered_queries as double) / asked.queries, 0) as query_coverage,
    coalesce(cast(covered.proposed_products as double) / offered.offered_products, 0) as product_coverage
from found
inner join offered on found.split = offered.split
inner join asked on found.split = asked.split
left join covered
    on found.split = covered.split
    and found.source = covered.source
