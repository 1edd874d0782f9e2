"""Responses to campaigns: which were known to be a customer's when the day began."""

from operate.explain.facts import Fact, Found, Question, in_window

RESPONSES = """
select
    response_id,
    response_type,
    responded_at,
    attributed_at,
    coalesce(campaign_name, campaign_id, '') as campaign,
    case
        when cast(attributed_at as date) >= cast(unattributed_at as date) then 'someone else''s: before it was known'
        when cast(attributed_at as date) >= $day
            then 'not known yet: whose address it is was known ' || strftime(attributed_at, '%Y-%m-%d %H:%M')
        when cast(unattributed_at as date) < $day
            then 'someone else''s: since ' || strftime(unattributed_at, '%Y-%m-%d %H:%M')
    end as why_not
from intermediate.int_campaign_responses__attributed
where customer_id = $customer_id and list_contains($kinds, response_type)
order by responded_at, response_id, attributed_at
"""


def of_customer(question: Question, kinds: list[str]) -> Found:
    """Return the customer's responses of some kinds (`received`, `opened`, `clicked`) in the window."""
    facts = [
        Fact(
            kind=row["response_type"],
            event_at=row["responded_at"],
            known_at=row["attributed_at"],
            record=("response", row["response_id"]),
            why_not=row["why_not"],
            detail=row["campaign"],
        )
        for row in question.rows(RESPONSES, kinds=kinds)
    ]
    return in_window(question, facts)
