-- For each label, what there is to say of each feature by the train split, and whether it is worth keeping.
with statistics as (

    select
        *,
        cast(nulls as double) / examples as missing_share
    from {{ ref('feature_statistics') }}
    where split = 'train'

),

information as (

    select * from {{ ref('int_feature_information') }}

),

correlated as (

    select * from {{ ref('int_features__correlated') }}

),

pairs as (

    select
        feature,
        other_feature
    from correlated

    union all

    select
        other_feature as feature,
        feature as other_feature
    from correlated

),

judged as (

    select
        information.feature,
        information.label,
        statistics.examples,
        statistics.missing_share,
        statistics.deviation * statistics.deviation as variance,
        case information.label
            when 'label_view' then statistics.correlation_view
            when 'label_cart' then statistics.correlation_cart
            else statistics.correlation_order
        end as correlation,
        information.mutual_information,
        case
            when statistics.distinct_values + case when statistics.nulls > 0 then 1 else 0 end <= 1 then 'constant'
            when information.mutual_information > {{ var('leak_share') }} * information.entropy then 'leak'
            when statistics.missing_share > {{ var('most_missing') }} then 'mostly_missing'
            when information.mutual_information < {{ var('least_information') }} then 'no_information'
        end as reason
    from information
    inner join statistics on information.feature = statistics.feature

),

-- Of two that say the same, the one that tells more of the label stays.
redundant as (

    select
        judged.feature,
        judged.label,
        better.feature as redundant_with,
        row_number() over (
            partition by judged.feature, judged.label
            order by better.mutual_information desc, better.feature asc
        ) as place
    from judged
    inner join pairs on judged.feature = pairs.feature
    inner join judged as better
        on pairs.other_feature = better.feature
        and judged.label = better.label
    where
        better.reason is null
        and (
            better.mutual_information > judged.mutual_information
            or (better.mutual_information = judged.mutual_information and better.feature < judged.feature)
        )

)

select
    judged.feature,
    judged.label,
    judged.examples,
    judged.missing_share,
    judged.variance,
    judged.correlation,
    judged.mutual_information,
    redundant.redundant_with,
    coalesce(judged.reason, case when redundant.redundant_with is not null then 'redundant' end) as reason,
    judged.reason is null and redundant.redundant_with is null as is_kept
from judged
left join redundant
    on judged.feature = redundant.feature
    and judged.label = redundant.label
    and redundant.place = 1
