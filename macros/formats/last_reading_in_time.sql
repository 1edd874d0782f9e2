{#-
    Which of the readings of files comes first: the last of those that landed while they could still be changed (`is_in_time`), else
    the first that landed. A list for `first_by`; it orders rows totally.
-#}
{% macro last_reading_in_time() -%}
    {{ return([
        'is_in_time desc',
        'case when is_in_time then load_id end desc',
        'load_id',
        'source_file',
        'source_line',
        'content_hash'
    ]) }}
{%- endmacro %}
