"""Features for labels by equality, as training does it: `labels_duckdb.py LABELS CUSTOMERS PRODUCTS OUTPUT`, Parquet.

The features have a row for each day on which a customer or a product is asked about: no need to look for the last one
before.
"""

import sys

import duckdb


def main(labels: str, customers: str, products: str, output: str) -> None:
    """Write the labels with what was known of their customer and their product when the day began."""
    duckdb.execute(
        f"""
        copy (
            select
                labels.*,
                columns(customers.* exclude (customer_id, feature_at)) as 'customer_features__\\0',
                columns(products.* exclude (product_id, feature_at)) as 'product_features__\\0'
            from '{labels}' as labels
            left join '{customers}' as customers on labels.customer_id = customers.customer_id
                and date_trunc('day', labels.event_timestamp) = customers.feature_at
            left join '{products}' as products on labels.product_id = products.product_id
                and date_trunc('day', labels.event_timestamp) = products.feature_at
        ) to '{output}'"""
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
