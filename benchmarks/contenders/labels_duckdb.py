"""Features for labels by equality, as training reads them: `labels_duckdb.py LABELS FEATURES OUTPUT`, Parquet files.

The features have a row for each day on which a customer is asked about: no need to look for the last one before.
"""

import sys

import duckdb


def main(labels: str, features: str, output: str) -> None:
    """Write the labels with the features of their customer's day."""
    duckdb.execute(
        f"""
        copy (
            select labels.*, features.* exclude (customer_id, feature_at)
            from '{labels}' as labels
            left join '{features}' as features on labels.customer_id = features.customer_id
                and date_trunc('day', labels.event_timestamp) = features.feature_at
        ) to '{output}'"""
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
