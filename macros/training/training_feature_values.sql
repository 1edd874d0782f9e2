{#-
    Every training feature as (name, expression, is_text): its column of training_examples and how it reads as a number, a flag as
    1 and 0. A text stays a text.
-#}
{% macro training_feature_values() -%}
    {%- set found = [] -%}
    {%- for table, kinds in training_features().items() -%}
        {%- for name in kinds.counts + kinds.numbers -%}
            {%- do found.append((table ~ '_' ~ name, 'cast(' ~ table ~ '_' ~ name ~ ' as double)', false)) -%}
        {%- endfor -%}
        {%- for name in kinds.flags -%}
            {%- do found.append((table ~ '_' ~ name, 'case when ' ~ table ~ '_' ~ name ~ ' then 1e0 else 0e0 end', false)) -%}
        {%- endfor -%}
        {%- for name in kinds.texts -%}
            {%- do found.append((table ~ '_' ~ name, table ~ '_' ~ name, true)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
