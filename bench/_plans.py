"""Explain the product's query for each question, as PostgreSQL runs it once."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

TABLE = "connections_app_connection"


@dataclass(frozen=True)
class Plan:
    """The plan's nodes as lines, its milliseconds, the 8 KB pages it read, and the tables it read whole."""

    question: str
    query: str
    lines: list[str]
    ms: float
    pages: int
    whole: list[str]


def plan_of(question: str, query: str) -> Plan:
    """Return the plan for one page of the list with the query string `query`."""
    from django.http import QueryDict

    from connections_app.call_list.filters import CallsForm, filtered, order_of
    from connections_app.call_list.paging import Page

    parameters = QueryDict(query.removeprefix("?"))
    form = CallsForm(parameters)
    assert form.is_valid(), form.errors
    rows = Page.from_query(order_of(form), parameters).of(filtered(form).for_rows())
    return explained(question, query, rows)


def plan_of_count(question: str, query: str) -> Plan:
    """Return the plan for the count next to the list, if it is exact."""
    from django.http import QueryDict

    from connections_app.call_list.filters import CallsForm, filtered
    from connections_app.call_list.time_limits import MAX_COUNTED

    form = CallsForm(QueryDict(query.removeprefix("?")))
    assert form.is_valid(), form.errors
    return explained(question, query, filtered(form).order_by().values("pk")[: MAX_COUNTED + 1])


def explained(question: str, query: str, rows: Any) -> Plan:
    """Run the queryset `rows` with EXPLAIN ANALYZE and return its plan."""
    explanation = json.loads(rows.explain(format="json", analyze=True, buffers=True))[0]
    nodes = list(_nodes(explanation["Plan"], 0))
    return Plan(
        question,
        query,
        [f"{'  ' * depth}{_line(node)}" for depth, node in nodes],
        explanation["Execution Time"],
        explanation["Plan"]["Shared Hit Blocks"] + explanation["Plan"]["Shared Read Blocks"],
        [node["Relation Name"] for _, node in nodes if node["Node Type"] == "Seq Scan"],
    )


def as_markdown(plans: list[Plan]) -> str:
    """Return the plans as Markdown."""
    return "\n\n".join(
        f"**{plan.question}** `{plan.query or '/calls/'}`: {plan.ms:.1f} ms, {plan.pages:,} pages\n\n"
        "```\n" + "\n".join(plan.lines) + "\n```"
        for plan in plans
    )


def _nodes(plan: dict[str, Any], depth: int) -> Iterator[tuple[int, dict[str, Any]]]:
    yield depth, plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below, depth + 1)


def _line(node: dict[str, Any]) -> str:
    """Return a node as `Index Scan using X on Y (50 rows)`, with its index conditions and filters."""
    parts = [node["Node Type"]]
    if node.get("Scan Direction") == "Backward":
        parts.append("Backward")
    if name := node.get("Index Name"):
        parts.append(f"using {name}")
    if relation := node.get("Relation Name"):
        parts.append(f"on {relation}")
    line = f"{' '.join(parts)} ({node['Actual Rows'] * node['Actual Loops']:.0f} rows)"
    for label, key in (("", "Index Cond"), ("recheck ", "Recheck Cond"), ("filter ", "Filter")):
        if condition := node.get(key):
            line += f"; {label}{condition.replace('connections_app_', '')}"
    return line[:200]
