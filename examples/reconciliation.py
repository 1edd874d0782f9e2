"""Holds what came out of the warehouse against what went in: every line and every penny."""

from decimal import Decimal
from pathlib import Path
from typing import Protocol

import duckdb
from rich.console import Console
from rich.panel import Panel

LINES = """
    select sum(records_landed), sum(records_accepted), sum(records_rejected), sum(records_duplicate)
    from operations.landed_records
    where source = 'store'
"""
REASONS = """
    select reason, count(*) from operations.rejected_records
    where source = 'store' group by reason order by count(*) desc, reason
"""
REJECTED_AMOUNT = """
    select coalesce(sum(quantity * unit_price), 0) from staging.stg_store__transactions
    where record_status <> 'accepted'
"""
PUBLISHED_BY_DAY = """
    select
        cast(cast(ordered_at as timestamp) at time zone 'UTC' at time zone 'Europe/London' as date) as day,
        sum(source_gross_amount - source_discount_amount - source_refund_amount) as source_amount,
        sum(net_amount) as net_amount
    from core.fct_order_lines
    group by day
    order by day
"""


class Totals(Protocol):
    """What the files say: lines, lines without a readable amount, the amount, and the amount by day."""

    lines: int
    unreadable: int
    amount: Decimal
    by_day: dict[str, Decimal]


def reconcile(console: Console, warehouse: Path, totals: Totals) -> bool:
    """Print the reconciliation; return whether every line is accounted for and no penny is missing.

    Money is compared by day and in all, in the currency of the files (GBP), exactly.
    """
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        landed, accepted, rejected, duplicate = (int(n or 0) for n in connection.execute(LINES).fetchone())
        reasons = connection.execute(REASONS).fetchall()
        set_aside = connection.execute(REJECTED_AMOUNT).fetchone()[0]
        days = connection.execute(PUBLISHED_BY_DAY).fetchall()
    published = sum((source for _, source, _ in days), Decimal(0))
    in_reporting = sum((net for _, _, net in days if net is not None), Decimal(0))
    lines_agree = totals.lines == landed == accepted + rejected + duplicate
    money_agrees = totals.amount == published + set_aside
    by_day = {str(day): source for day, source, _ in days}
    all_days = sorted(set(by_day) | set(totals.by_day))
    off = [day for day in all_days if by_day.get(day, 0) != totals.by_day.get(day, 0)]
    text = [
        f"lines in the files     {totals.lines:>14,}",
        f"landed                 {landed:>14,}",
        f"  accepted             {accepted:>14,}",
        f"  rejected             {rejected:>14,}",
        *(f"    {reason}: {count:,}" for reason, count in reasons),
        f"  duplicate            {duplicate:>14,}",
        "",
        f"GBP in the files       {totals.amount:>14,.2f}",
        f"  in fct_order_lines   {published:>14,.2f}   (rounded line by line, net_amount: {in_reporting:,.2f})",
        f"  set aside            {set_aside:>14,.2f}",
        f"  difference           {totals.amount - published - set_aside:>14,.2f}",
        f"days that agree        {len(all_days) - len(off):>14,} of {len(all_days):,}"
        + (f"; set aside on {', '.join(off)}" if off else ""),
    ]
    good = lines_agree and money_agrees
    verdict = "every line and every penny is accounted for" if good else "IT DOES NOT ADD UP"
    console.print(
        Panel(
            "\n".join(text), title=f"Online Retail: {verdict}", border_style="green" if good else "red", expand=False
        ),
        highlight=False,
    )
    return good
