"""Trains a ranker for the homepage and a value model on a version of the training tables, and says how good they are.

    python -m operate training-set --name first
    python -m examples.train_recommender first

Prints recall@20 and NDCG@20 on the test split, for all customers and for cold ones (no order yet), against popularity,
an item-kNN and chance; and how far a value model is from always saying the mean. `--shuffled` trains on labels dealt
out anew, five times: there is nothing to learn from them. `--picture FILE` keeps the result as SVG.
"""

import argparse
import sys
from pathlib import Path

import duckdb
import lightgbm
import numpy as np
from scipy.sparse import csr_matrix, diags
from sklearn.metrics import r2_score, root_mean_squared_error

from operate.training_set import Refused, folder_of

AT = 20
LEAST = 100
"""So many examples of value are needed on either side."""
DEALS = 5
"""So many times are labels dealt out anew, and candidates drawn by chance: one time says little."""
KEYS = {
    "customer_id", "feature_at", "matured_at", "is_matured", "split", "orders_next_30d", "revenue_next_30d",
}  # fmt: skip
TREES = {"num_leaves": 31, "learning_rate": 0.05, "min_child_samples": 50, "seed": 7, "verbose": -1}
TREES |= {"deterministic": True, "force_row_wise": True, "num_threads": 2}


def read(folder: Path, table: str, split: str, kept: list[str]) -> tuple[duckdb.DuckDBPyRelation, np.ndarray]:
    """Return a split of a table in the order of queries, and its features as numbers: rows by features, NaN for null.

    A text becomes the place of its value among those of the train split, an unknown one NaN.
    """
    # Sorted by the key, its first two columns, once: a relation is computed anew each time it is asked.
    duckdb.sql(f"from '{folder}/{table}/split={split}/*.parquet' order by 1, 2").create(f"{table}_{split}")
    relation = duckdb.table(f"{table}_{split}")
    kinds = dict(zip(relation.columns, map(str, relation.types), strict=True))
    columns = []
    for name in kept:
        if kinds[name] == "VARCHAR":
            train = f"select distinct {name} from '{folder}/{table_of_texts(table)}/split=train/*.parquet' order by 1"
            values = [value for (value,) in duckdb.sql(train).fetchall() if value is not None]
            columns.append(f"cast(nullif(list_position({values!r}, {name}), 0) as double)")
        else:
            columns.append(f"cast({name} as double)")
    # A list of one type keeps DuckDB from guessing; nulls become NaN.
    made = relation.select(", ".join(f"{value} as f{place}" for place, value in enumerate(columns))).fetchnumpy()
    matrix = np.column_stack([np.ma.filled(made[f"f{place}"].astype(float), np.nan) for place in range(len(columns))])
    return relation, matrix


def table_of_texts(table: str) -> str:
    """Return the table whose train split says which values a text has."""
    return "training_examples" if table == "training_candidate_features" else table


def kept_features(folder: Path, label: str) -> list[str]:
    """Return the features that the selection keeps for a label."""
    query = f"select feature from '{folder}/feature_selection.parquet' where is_kept and label = '{label}' order by 1"
    return [name for (name,) in duckdb.sql(query).fetchall()]


def column(relation: duckdb.DuckDBPyRelation, name: str) -> np.ndarray:
    """Return a column."""
    return np.asarray(relation.select(name).fetchnumpy()[name])


def training_data(folder: Path, kept: list[str]) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return, of the train and the validation split: features, gains, and how many rows each query has."""
    found = []
    for split in ("train", "validation"):
        examples, matrix = read(folder, "training_examples", split, kept)
        _, sizes = np.unique(column(examples, "query_id"), return_counts=True)
        found.append((matrix, column(examples, "gain").astype(int), sizes))
    return found


def ranker(data: list[tuple[np.ndarray, np.ndarray, np.ndarray]], deal: int | None = None) -> lightgbm.Booster:
    """Train on the train split, stop by the validation split: `gain` is what a ranker is to put on top.

    `deal` deals the gains out anew, each number another way: then there is nothing to learn.
    """
    sets = []
    for matrix, gain, sizes in data:
        if deal is not None:
            gain = np.random.default_rng(deal).permutation(gain)
        sets.append(lightgbm.Dataset(matrix, gain, group=sizes))
    settings = TREES | {"objective": "lambdarank", "metric": "ndcg", "eval_at": [AT], "lambdarank_truncation_level": 30}
    stop = lightgbm.early_stopping(30, verbose=False)
    return lightgbm.train(settings, sets[0], 300, valid_sets=[sets[1]], callbacks=[stop])


def item_knn(folder: Path, queries: np.ndarray, products: np.ndarray) -> np.ndarray:
    """Return each candidate's similarity to what its customer did before: cosines of products in sequences."""
    sequences = {
        split: duckdb.sql(
            f"select query_id, product_ids from '{folder}/training_sequences/split={split}/*.parquet' order by 1"
        ).fetchall()
        for split in ("train", "test")
    }
    names = {name: place for place, name in enumerate(sorted({p for _, ps in sequences["train"] for p in ps}))}

    def seen(rows: list[tuple]) -> csr_matrix:
        found = [(row, names[p]) for row, (_, ps) in enumerate(rows) for p in set(ps) if p in names]
        where = np.array(found).T
        return csr_matrix((np.ones(len(found)), where), shape=(len(rows), len(names)))

    past = seen(sequences["train"])
    length = np.sqrt(np.asarray(past.sum(axis=0)).ravel())
    scale = diags(1 / np.maximum(length, 1))
    alike = scale @ (past.T @ past) @ scale
    alike.setdiag(0)
    scores = seen(sequences["test"]) @ alike.tocsr()
    rows = {query: row for row, (query, _) in enumerate(sequences["test"])}
    row = np.array([rows.get(query, -1) for query in queries])
    place = np.array([names.get(product, -1) for product in products])
    known = (row >= 0) & (place >= 0)
    made = np.zeros(len(queries))
    made[known] = np.asarray(scores[row[known], place[known]]).ravel()
    return made


def judged(queries: np.ndarray, gain: np.ndarray, score: np.ndarray, wanted: dict[str, list[int]], only: set) -> tuple:
    """Return recall@20 and NDCG@20, means over the queries in `only` with which something happened.

    What was wanted and is no candidate counts as missed. Equal scores are put in an order that says nothing.
    """
    tie = np.random.default_rng(11).random(len(score))
    order = np.lexsort((tie, -score, queries))
    queries, gain = queries[order], gain[order]
    starts = np.flatnonzero(np.r_[True, queries[1:] != queries[:-1]])
    discount = 1 / np.log2(np.arange(2, AT + 2))
    found = dict(zip(queries[starts], np.split(gain, starts[1:]), strict=True))
    recalls, ndcgs = [], []
    for query, gains in wanted.items():
        if query in only:
            top = found.get(query, np.zeros(0))[:AT]
            best = np.sort(gains)[::-1][:AT]
            recalls.append((top > 0).sum() / len(gains))
            ndcgs.append((top * discount[: len(top)]).sum() / (best * discount[: len(best)]).sum())
    return float(np.mean(recalls)), float(np.mean(ndcgs)), len(recalls)


def rank(folder: Path, shuffled: bool) -> dict[tuple[str, str], tuple]:
    """Return how good each way of ranking the test split's candidates is, for all customers and for cold ones."""
    kept = sorted(
        {name for label in ("label_view", "label_cart", "label_order") for name in kept_features(folder, label)}
    )
    data = training_data(folder, kept)
    models = (
        {f"shuffled {deal + 1}": ranker(data, deal) for deal in range(DEALS)} if shuffled else {"ranker": ranker(data)}
    )
    candidates, matrix = read(folder, "training_candidate_features", "test", kept)
    queries, products = column(candidates, "query_id"), column(candidates, "product_id")
    examples = f"'{folder}/training_examples/split=test/*.parquet'"
    outcomes = duckdb.sql(f"select query_id, product_id, gain from {examples} where gain > 0 order by 1, 2").fetchall()
    gains = {(query, product): gain for query, product, gain in outcomes}
    wanted: dict[str, list[int]] = {}
    for query, _, gain in outcomes:
        wanted.setdefault(query, []).append(gain)
    gain = np.array([gains.get(pair, 0) for pair in zip(queries, products, strict=True)])
    cold = set(queries[column(candidates, "customer_orders_lifetime") == 0])
    scores = {
        **{name: model.predict(matrix) for name, model in models.items()},
        "item-kNN": item_knn(folder, queries, products),
        "popularity": -column(candidates, "product_popularity_rank_7d").astype(float),
    }
    groups = {"all": set(queries), "cold": cold}
    found = {
        (name, group): judged(queries, gain, score, wanted, only)
        for name, score in scores.items()
        for group, only in groups.items()
    }
    draws = [np.random.default_rng(draw).random(len(queries)) for draw in range(DEALS)]
    for group, only in groups.items():
        found["chance", group] = tuple(np.mean([judged(queries, gain, draw, wanted, only) for draw in draws], axis=0))
    return found


def value(folder: Path, shuffled: bool) -> tuple[float, float, float] | None:
    """Return the root mean squared error of a value model on the test split, that of the mean, the share explained.

    None when too little of the past has matured.
    """
    table = "training_customer_value"
    if not all((folder / table / f"split={split}").exists() for split in ("train", "test")):
        return None
    described = duckdb.sql(f"describe from '{folder}/{table}/split=train/*.parquet'").fetchall()
    kept = [name for name, *_ in described if name not in KEYS]
    train, matrix = read(folder, table, "train", kept)
    test, asked = read(folder, table, "test", kept)
    if min(len(matrix), len(asked)) < LEAST:
        return None
    revenue, truth = column(train, "revenue_next_30d"), column(test, "revenue_next_30d")
    if shuffled:
        revenue = np.random.default_rng(7).permutation(revenue)
    settings = TREES | {"objective": "regression", "learning_rate": 0.03, "num_leaves": 15}
    said = lightgbm.train(settings, lightgbm.Dataset(matrix, revenue), 150).predict(asked)
    mean = np.full(len(truth), revenue.mean())
    return root_mean_squared_error(truth, said), root_mean_squared_error(truth, mean), r2_score(truth, said)


def picture(found: dict[tuple[str, str], tuple], file: Path) -> None:
    """Draw recall@20 of each way of ranking, all customers beside cold ones, as SVG."""
    names = list(dict.fromkeys(name for name, _ in found))
    most = max(recall for recall, *_ in found.values())
    bars = []
    for row, name in enumerate(names):
        for part, (group, colour) in enumerate((("all", "#2563eb"), ("cold", "#93c5fd"))):
            recall, y = found[name, group][0], 52 + row * 52 + part * 20
            bars.append(f'<rect x="110" y="{y}" width="{380 * recall / most:.0f}" height="16" fill="{colour}"/>')
            bars.append(f'<text x="{118 + 380 * recall / most:.0f}" y="{y + 13}">{recall:.3f} {group}</text>')
        bars.append(f'<text x="100" y="{84 + row * 52 - 8}" text-anchor="end">{name}</text>')
    title = '<text x="20" y="30" font-size="16">Recall@20 on the test split</text>'
    height = 70 + 52 * len(names)
    size = f'width="640" height="{height}" font-family="sans-serif" font-size="13"'
    file.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
        f'<rect width="100%" height="100%" fill="white"/>{title}{"".join(bars)}</svg>\n'
    )


def main() -> int:
    """Train, judge, print; return 1 with the reason when there is no such version."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("version", help="name or folder of a version")
    parser.add_argument("--shuffled", action="store_true", help="train on labels dealt out anew")
    parser.add_argument("--picture", type=Path, help="keep the result as SVG in this file")
    given = parser.parse_args()
    try:
        folder = folder_of(given.version)
    except Refused as problem:
        print(problem, file=sys.stderr)
        return 1
    found = rank(folder, given.shuffled)
    print(f"{'':12}{'recall@20':>11}{'NDCG@20':>10}{'cold: recall@20':>18}{'NDCG@20':>10}")
    for name in dict.fromkeys(name for name, _ in found):
        (recall, ndcg, _), (cold_recall, cold_ndcg, _) = found[name, "all"], found[name, "cold"]
        print(f"{name:12}{recall:11.3f}{ndcg:10.3f}{cold_recall:18.3f}{cold_ndcg:10.3f}")
    print(f"{found['popularity', 'all'][2]:,} queries, of cold customers {found['popularity', 'cold'][2]:,}")
    if given.shuffled:
        recalls = [found[f"shuffled {deal + 1}", "all"][0] for deal in range(DEALS)]
        error = np.std(recalls, ddof=1) / np.sqrt(DEALS)
        print(f"on labels dealt out anew: recall@20 {np.mean(recalls):.4f}, standard error {error:.4f}")
    worth = value(folder, given.shuffled)
    if worth:
        print("value: RMSE {:.2f}, of the mean {:.2f}; {:.1%} of the variance explained".format(*worth))
    else:
        print("value: too few customers whose next 30 days are known; a longer history has more")
    if given.picture:
        picture(found, given.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
