-- How much a feature tells of each label: mutual information in nats over the bins of its values in the train split, less
-- what as many bins would seem to tell by chance (Miller and Madow).
{%- set labels = ['view', 'cart', 'order'] %}
with told as (

    {% for label in labels %}
    select
        feature,
        'label_{{ label }}' as label,
        bin,
        label_{{ label }} as outcome,
        cast(sum(examples) as double) as examples
    from {{ ref('int_feature_bins__counted') }}
    group by feature, bin, label_{{ label }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

shared as (

    select
        told.*,
        sum(examples) over (partition by feature, label) as all_examples,
        sum(examples) over (partition by feature, label, bin) as bin_examples,
        sum(examples) over (partition by feature, label, outcome) as outcome_examples
    from told

)

select
    feature,
    label,
    round(
        sum(examples / all_examples * ln(examples * all_examples / (bin_examples * outcome_examples)))
        - (count(*) - count(distinct bin) - count(distinct outcome) + 1) / (2 * max(all_examples)),
        9
    ) + 0e0 as mutual_information,
    -- All there is to know of the label.
    round(
        ln(max(all_examples)) - sum(examples * ln(outcome_examples)) / max(all_examples)
        + (count(distinct outcome) - 1) / (2 * max(all_examples)),
        9
    ) as entropy
from shared
group by feature, label
