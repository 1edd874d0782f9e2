{#-
    How a number is scaled, by its name: `none` for flags, `min_max` for shares and rates, `log` for counts, sums and ranks, else
    `standard`.
-#}
{% macro scaling_of(feature) -%}
    {%- if '_is_' in feature or '_in_cart' in feature -%}
        {{ return('none') }}
    {%- elif 'share' in feature or 'rate' in feature or 'ratio' in feature or 'percentile' in feature -%}
        {{ return('min_max') }}
    {%- elif modules.re.search('(views|carts|orders|buyers|sessions|revenue|rank|value|lifetime)_', feature) -%}
        {{ return('log') }}
    {%- else -%}
        {{ return('standard') }}
    {%- endif -%}
{%- endmacro %}

{#-
    A number scaled by what was fitted on the train split: `fitted` is the beginning of the columns …__mean, __deviation,
    __minimum, __maximum. What is missing is the mean. A constant is 0.
-#}
{% macro scaled(value, fitted, scaling) -%}
    {%- set filled = 'coalesce(cast(' ~ value ~ ' as double), ' ~ fitted ~ '__mean)' -%}
    {%- if scaling == 'none' -%}
        {{ value }}
    {%- elif scaling == 'min_max' -%}
        coalesce(({{ filled }} - {{ fitted }}__minimum) / nullif({{ fitted }}__maximum - {{ fitted }}__minimum, 0), 0)
    {%- elif scaling == 'log' -%}
        coalesce(sign({{ filled }}) * ln(1 + abs({{ filled }})), 0)
    {%- else -%}
        coalesce(({{ filled }} - {{ fitted }}__mean) / nullif({{ fitted }}__deviation, 0), 0)
    {%- endif -%}
{%- endmacro %}
