-- Every macro of macros/engine on literals: what differs between engines must not differ in meaning.
{% set json = "'{\"a\": {\"b\": \"x\"}, \"n\": 2, \"list\": [{\"id\": \"p\"}, {\"id\": \"q\"}]}'" %}
with assertions as (

    select
        'json_fields reads a nested text' as claim,
        {{ json_field(json_fields(json, ['$.a.b', '$.n']), '$.a.b') }} = 'x' as holds
    union all
    select
        'json_fields reads a number as text' as claim,
        {{ json_field(json_fields(json, ['$.a.b', '$.n']), '$.n') }} = '2' as holds
    union all
    select
        'json_fields gives null for a path that is absent' as claim,
        {{ json_field(json_fields(json, ['$.z']), '$.z') }} is null as holds
    union all
    select 'json_fields gives null for what is not JSON' as claim, {{ json_fields("'{\"a\":'", ['$.a']) }} is null as holds
    union all
    select
        'json_elements and exploded give a row an element' as claim,
        (
            select count(*)
            from (
                select {{ exploded(json_elements(json_field(json_fields(json, ['$.list']), '$.list'))) }} as element
            ) as elements
        ) = 2 as holds
    union all
    select
        'json_fields reads a key with a hyphen' as claim,
        {{ json_field(json_fields("'{\"item-price\": \"1\"}'", ['$."item-price"']), '$."item-price"') }} = '1' as holds
    union all
    select
        'hashed_share is the first eight digits of the MD5, as a share' as claim,
        {{ hashed_share("'a'") }} = 214005177e0 / 4294967296 as holds
    union all
    select
        'quantiles lie between two values by how near each is' as claim,
        (
            select {{ array_item(quantiles('number', [0, 0.25]), 2) }}
            from (
                select 1 as number
                union all
                select 2 as number
            ) as numbers
        ) = 1.25 as holds
    union all
    select
        'collected keeps the order that it is given' as claim,
        (
            select {{ array_item(collected('name', '-number'), 1) }}
            from (
                select
                    'a' as name,
                    1 as number
                union all
                select
                    'b' as name,
                    2 as number
            ) as numbers
        ) = 'b' as holds
    union all
    select 'json_elements gives null for what is no array' as claim, {{ json_elements("'nothing'") }} is null as holds
    union all
    select
        'json_entries gives a row a key' as claim,
        (
            select max(entry.value)
            from (select {{ exploded(json_entries("'{\"EUR\": 0.91}'")) }} as entry) as entries
        ) = '0.91' as holds
    union all
    select
        'utc_timestamp minds the offset' as claim,
        {{ utc_timestamp("'2026-03-02T01:30:00+02:00'") }} = timestamp '2026-03-01 23:30:00' as holds
    union all
    select
        'utc_timestamp needs no seconds' as claim,
        {{ utc_timestamp("'2026-03-02T01:30+02:00'") }} = timestamp '2026-03-01 23:30:00'
        and {{ utc_timestamp("'2026-03-02T01:30Z'") }} = timestamp '2026-03-02 01:30:00' as holds
    union all
    select
        'utc_timestamp keeps microseconds' as claim,
        {{ utc_timestamp("'2026-03-02T01:30:00.123456Z'") }} = timestamp '2026-03-02 01:30:00.123456' as holds
    union all
    select
        'utc_timestamp reads every spelling of an offset' as claim,
        {%- for text in [
            '2026-03-01t06:30:00z', '2026-03-01 06:30:00', '2026-03-01 06:30', '2026-03-01T06:30:00,0 UTC',
            '2026-03-01T08:30+02', '2026-03-01T08:30:00+0200', '2026-03-01 08:30:00 +02:00', '2026-03-01 08:30 +0200',
            '2026-03-01T03:00:00.000000000-0330',
        ] %}
        {{ utc_timestamp("'" ~ text ~ "'") }} = timestamp '2026-03-01 06:30:00'{{ ' and' if not loop.last else ' as holds' }}
        {%- endfor %}
    union all
    select
        'utc_timestamp ends a day at 24:00' as claim,
        {{ utc_timestamp("'2026-02-28T24:00:00Z'") }} = timestamp '2026-03-01 00:00:00'
        and {{ utc_timestamp("'2026-02-28 24:00+01:00'") }} = timestamp '2026-02-28 23:00:00' as holds
    union all
    select
        'utc_timestamp does not guess' as claim,
        {%- for text in [
            '', 'infinity', 'epoch', 'now', '1772359200', '2026-02-30', '2026-03-01T23:59:60Z', '2026-03-01T24:00:01Z',
            '2026-03-01T10:00:00+15:00', '2026-03-01T10:00:00+1', '2026-03-01T10:00:00 Europe/Berlin', '2026-03-01T1:00:00Z',
            '0000-01-01T00:00:00Z', '-026-01-01T00:00:00Z', '99999-01-01T00:00:00Z', '20260301T100000Z',
        ] %}
        {{ utc_timestamp("'" ~ text ~ "'") }} is null{{ ' and' if not loop.last else ' as holds' }}
        {%- endfor %}
    union all
    select
        'decimal_number rounds what the type does not hold' as claim,
        {{ decimal_number("' +0.00005 '") }} = 0.0001
        and {{ decimal_number("'-1.25e1'") }} = -12.5 as holds
    union all
    select
        'decimal_number does not guess' as claim,
        {%- for text in [
            '', 'NaN', 'Infinity', '1e400', '1,5', '1 000', '1_000', '0x10', '1d', '5 EUR', '٣', '100000000000000',
        ] %}
        {{ decimal_number("'" ~ text ~ "'") }} is null{{ ' and' if not loop.last else ' as holds' }}
        {%- endfor %}
    union all
    select
        'whole_number reads whole numbers however they are written' as claim,
        {%- for text in ['12', ' 12 ', '+12', '12.0', '12.', '1.2e1', '1200e-2', '0012'] %}
        {{ whole_number("'" ~ text ~ "'") }} = 12 and
        {%- endfor %}
        {{ whole_number("'-9223372036854775808'") }} < -9223372036854775807 as holds
    union all
    select
        'whole_number neither rounds nor cuts' as claim,
        {%- for text in [
            '', '1.5', '9007199254740993.5', '9223372036854775808', '1_2', '1,000', '0x10', '1d', 'NaN', 'true',
        ] %}
        {{ whole_number("'" ~ text ~ "'") }} is null{{ ' and' if not loop.last else ' as holds' }}
        {%- endfor %}
    union all
    select
        'local_from_utc minds summer time' as claim,
        {{ local_from_utc("timestamp '2026-07-01 10:00:00'", "'Europe/Berlin'") }} = timestamp '2026-07-01 12:00:00' as holds
    union all
    select
        'json_structure looks at no endless nesting' as claim,
        {{ json_structure("repeat('[', 3000) || repeat(']', 3000)") }} is null as holds
    union all
    select 'utc_timestamp gives null for what is no time' as claim, {{ utc_timestamp("'soon'") }} is null as holds
    union all
    select
        'utc_from_local minds summer time' as claim,
        {{ utc_from_local("timestamp '2026-07-01 12:00:00'", "'Europe/Berlin'") }} = timestamp '2026-07-01 10:00:00' as holds
    union all
    select
        'utc_from_local minds winter time' as claim,
        {{ utc_from_local("timestamp '2026-01-01 12:00:00'", "'Europe/Berlin'") }} = timestamp '2026-01-01 11:00:00' as holds
    union all
    select 'keyed_hash gives 64 digits' as claim, length({{ keyed_hash("'someone@example.com'") }}) = 64 as holds
    union all
    select 'keyed_hash of null is null' as claim, {{ keyed_hash('cast(null as string)') }} is null as holds
    union all
    select 'matches minds no letter case' as claim, {{ matches("'Mozilla GoogleBot/2.1'", 'bot|crawl') }} as holds
    union all
    select
        'matches minds letter case when told' as claim,
        not {{ matches("'Mozilla GoogleBot/2.1'", 'bot', ignore_case=false) }} as holds
    union all
    select
        'split_text parts at every separator' as claim,
        (
            select count(*) = 4 and max(part) = '3' and min(part) = ''
            from (select {{ exploded(split_text("'1;2;;3'", ';')) }} as part) as parts
        ) as holds
    union all
    select 'days_after goes back, too' as claim, {{ days_after("date '2026-03-01'", '-1') }} = date '2026-02-28' as holds
    union all
    select
        'days_between counts days' as claim,
        {{ days_between("date '2026-02-27'", "date '2026-03-02'") }} = 3 as holds
    union all
    select
        'epoch_microseconds counts from 1970' as claim,
        {{ epoch_microseconds("timestamp '1970-01-01 00:00:01.000002'") }} = 1000002 as holds
    union all
    select 'masked keeps the shape alone' as claim, {{ masked("'{\"é\": 12.5'") }} = '{"x": 99.9' as holds

)

select claim
from assertions
where not coalesce(holds, false)
