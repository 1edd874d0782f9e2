{#-
    Which of the readings of a file comes first: the last of those that landed while it could still be changed (`is_in_time`), else
    the first that landed. A list for `first_by`; it orders rows totally.
-#}
{% macro last_reading_in_time() -%}
    {{ return([
        'source_file',
        'is_in_time desc',
        'case when is_in_time then load_id end desc',
        'load_id',
        'source_line',
        'content_hash'
    ]) }}
{%- endmacro %}
