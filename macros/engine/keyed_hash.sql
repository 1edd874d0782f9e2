{#-
    HMAC-SHA-256 (RFC 2104) of a text, as 64 hex digits; null for null. The key is in the session, never in the SQL:
    operate/personal_data.py hands the engine the two pads. Without them the query fails rather than hash with no key.
-#}
{% macro keyed_hash(column) -%}
    {{ adapter.dispatch('keyed_hash')(column) }}
{%- endmacro %}

{% macro default__keyed_hash(column) -%}
    sha256(
        coalesce(getvariable('pii_outer_pad'), error('The key for personal data is not set: run this through dbt'))
        || unhex(sha256(getvariable('pii_inner_pad') || encode({{ column }})))
    )
{%- endmacro %}

{% macro spark__keyed_hash(column) -%}
    sha2(concat(pii_outer_pad, unhex(sha2(concat(pii_inner_pad, encode({{ column }}, 'UTF-8')), 256))), 256)
{%- endmacro %}
