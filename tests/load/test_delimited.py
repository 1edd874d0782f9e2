"""CSV, TSV and XML: the record verbatim, and its fields as that file's header names them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from load.readers.delimited import delimited, distinct_names
from load.readers.feed import items


def parsed(content: str | bytes, delimiter: str = ",", quoted: bool = True) -> list[tuple[int, str, dict | None]]:
    content = content.encode() if isinstance(content, str) else content
    pieces = iter([content[start : start + 5] for start in range(0, len(content), 5)])
    rows = [row for table in delimited(delimiter, quoted=quoted)(pieces, "a.csv") for row in table.to_pylist()]
    return [(row["source_line"], row["payload"], json.loads(row["fields"]) if row["fields"] else None) for row in rows]


def test_record_and_fields() -> None:
    assert parsed("a,b\n1,x\r\n2,\n") == [(2, "1,x", {"a": "1", "b": "x"}), (3, "2,", {"a": "2", "b": ""})]


def test_quotes_delimiters_and_line_breaks_inside_a_field() -> None:
    assert parsed('a,b\n1,"x, ""y"""\n2,"two\r\nlines"\n3,z') == [
        (2, '1,"x, ""y"""', {"a": "1", "b": 'x, "y"'}),
        (3, '2,"two\r\nlines"', {"a": "2", "b": "two\r\nlines"}),
        (5, "3,z", {"a": "3", "b": "z"}),
    ]


@pytest.mark.parametrize(
    "stray",
    ['2,"never closed', '2,"5" screen', '"2,x'],
)
def test_stray_quote_costs_its_own_line_alone(stray: str) -> None:
    others = "".join(f"{number},y\n" for number in range(3, 400))
    rows = parsed(f'a,b\n1,x\n{stray}\n{others}400,"last, quoted"\n')
    assert rows[1] == (3, stray, None)
    assert len(rows) == 400
    assert all(fields is not None for line, _, fields in rows if line != 3)


def test_stray_quotes_on_many_lines_cost_no_more() -> None:
    rows = parsed("a,b\n" + '1,"x\n2,y\n' * 500)
    assert len(rows) == 1000
    assert sum(fields is None for _, _, fields in rows) == 500 or all(fields for _, p, fields in rows if '"' not in p)


def test_too_few_and_too_many_fields_land_without_fields() -> None:
    assert parsed("a,b\n1\n1,2,3\n1,2\n") == [(2, "1", None), (3, "1,2,3", None), (4, "1,2", {"a": "1", "b": "2"})]


def test_blank_lines_are_records() -> None:
    assert parsed("a\n\n1\n\n") == [(2, "", None), (3, "1", {"a": "1"}), (4, "", None)]


def test_header_after_blank_lines_and_with_a_mark_upstream() -> None:
    assert parsed("\n\na,b\n1,2\n") == [(1, "", None), (2, "", None), (4, "1,2", {"a": "1", "b": "2"})]


def test_names_that_repeat_or_differ_in_case_stay_apart() -> None:
    assert distinct_names(["price", "Price", "price", "", "price_2"]) == [
        "price",
        "Price",
        "price_2",
        "column_4",
        "price_2_2",
    ]
    assert parsed("price,Price,price\n1,2,3\n") == [(2, "1,2,3", {"price": "1", "Price": "2", "price_2": "3"})]


def test_a_quote_means_nothing_where_nothing_is_quoted() -> None:
    assert parsed('a\tb\n"5 inch\tx\n', "\t", quoted=False) == [(2, '"5 inch\tx', {"a": '"5 inch', "b": "x"})]


def test_other_encoding_keeps_its_bytes() -> None:
    (table,) = delimited(",")(iter([b"a,b\n1,caf\xe9\n"]), "a.csv")
    (row,) = table.to_pylist()
    assert (row["payload"], row["payload_bytes"]) == ("1,caf\ufffd", b"1,caf\xe9")
    assert json.loads(row["fields"]) == {"a": "1", "b": "caf\ufffd"}


def test_empty_file_and_header_alone_hold_no_record() -> None:
    assert parsed("") == []
    assert parsed("a,b") == []


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='a,"\n\r\té', max_size=80), st.booleans())
def test_any_text_is_accounted_for_line_by_line(body: str, quoted: bool) -> None:
    content = f"h,i\n{body}"
    physical = content.split("\n")
    physical = physical[:-1] if physical[-1] == "" else physical
    expected = 2
    for line, payload, _ in parsed(content, quoted=quoted):
        assert line == expected
        inside = payload.split("\n")
        taken = physical[line - 1 : line - 1 + len(inside)]
        assert [text.rstrip("\r") for text in inside] == [text.rstrip("\r") for text in taken]
        expected += len(inside)
    assert expected == len(physical) + 1


FEED = """<?xml version="1.0"?>
<rss xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
<item><g:id>SKU-1</g:id><g:price>15.00 USD</g:price>
  <g:additional_image_link>a</g:additional_image_link><g:additional_image_link>b</g:additional_image_link>
  <g:shipping><g:country>GB</g:country></g:shipping></item>
<item><g:id>SKU-2</g:id><title><![CDATA[A & B]]></title></item>
<item><g:id>SKU-3</id></item>
<item><g:id>SKU-4</g:id></item>
</channel></rss>
"""


@pytest.mark.parametrize("piece", [1, 30, 10_000])
def test_product_feed_is_one_record_an_item(piece: int) -> None:
    pieces = iter([FEED.encode()[start : start + piece] for start in range(0, len(FEED), piece)])
    rows = [row for table in items(pieces, "feed.xml") for row in table.to_pylist()]
    fields = [json.loads(row["fields"]) if row["fields"] else None for row in rows]
    assert [row["source_line"] for row in rows] == [3, 6, 7, 8]
    assert fields[0] == {
        "id": "SKU-1",
        "price": "15.00 USD",
        "additional_image_link": "a",
        "additional_image_link_2": "b",
        "shipping_country": "GB",
    }
    assert fields[1:] == [{"id": "SKU-2", "title": "A & B"}, None, {"id": "SKU-4"}]
    assert rows[2]["payload"] == "<item><g:id>SKU-3</id></item>"


def test_item_that_is_never_closed_lands() -> None:
    rows = [row for table in items(iter([b"<feed>\n<entry><id>1</id>\n"]), "feed.xml") for row in table.to_pylist()]
    assert [(row["source_line"], row["payload"], row["fields"]) for row in rows] == [(2, "<entry><id>1</id>", None)]


@pytest.mark.parametrize(
    ("source", "table", "file", "content", "fields"),
    [
        ("catalog", "products", "products_2026-03-01.tsv", 'id\ttitle\n1\t"a\tb"\n', {"id": "1", "title": "a\tb"}),
        ("catalog", "products", "feed.xml", "<item><id>1</id></item>", {"id": "1"}),
        ("catalog", "products", "products.csv", "id,title\n1,x\n", {"id": "1", "title": "x"}),
        ("marketplace", "orders", "orders.tsv", 'sku\tasin\n"1\tb\n', {"sku": '"1', "asin": "b"}),
        ("store", "transactions", "STORE-LON/2026-03-01.csv", "sku,quantity\n1,2\n", {"sku": "1", "quantity": "2"}),
    ],
)
def test_source_lands_its_fields(company, source, table, file, content, fields) -> None:
    company.write(f"in/{file}", content)
    company.connect(source, url=company.folder / "in")
    assert company.load(source) == 0
    rows = company.query(f"select source_file, fields from raw_{source}.{table}")
    assert [(name, json.loads(text)) for name, text in rows] == [(file, fields)]


def test_records_that_do_not_fit_are_counted_for_a_person(company) -> None:
    company.write("in/a.csv", b"a,b\n1\n1,caf\xe9\n1,2\n\n")
    company.connect("store", url=company.folder / "in")
    assert company.load("store") == 0
    assert "1 records do not fit the header" in company.output
    assert "1 records are not UTF-8" in company.output


def test_name_in_another_case_means_the_known_one_unless_that_is_there_too(company) -> None:
    company.write("store/a.csv", "Transaction_ID, SKU ,quantity\n1,A,2\n")
    company.write("store/b.csv", "transaction_id,sku,Quantity,quantity\n2,B,3,4\n")
    company.connect("store", url=company.folder / "store")
    assert company.load("store") == 0
    assert company.query("select fields from raw_store.transactions order by source_file") == [
        ('{"transaction_id": "1", "sku": "A", "quantity": "2"}',),
        ('{"transaction_id": "2", "sku": "B", "Quantity": "3", "quantity": "4"}',),
    ]


def test_file_that_gets_another_header_is_read_anew_by_it(company) -> None:
    file = company.write("store/a.csv", "transaction_id,sku,quantity\n1,2,3\n")
    company.connect("store", url=company.folder / "store")
    company.load("store")
    file.write_text("transaction_id,quantity,sku\n1,2,3\n")
    company.load("store")
    company.load("store")
    assert company.query("select source_line, payload, fields from raw_store.transactions order by landed_at") == [
        (2, "1,2,3", '{"transaction_id": "1", "sku": "2", "quantity": "3"}'),
        (2, "1,2,3", '{"transaction_id": "1", "quantity": "2", "sku": "3"}'),
    ]
    assert company.query("select sum(records_landed) from raw_store.manifest") == [(2,)]
