"""Print whether a figure meets its limit."""


def verdict(what: str, figure: float, *, most: float | None = None, least: float | None = None) -> None:
    """Print a figure with its limit, `most` or `least`, and whether it is met."""
    is_met = figure <= most if most is not None else figure >= (least or 0)
    limit = f"at most {most:g}" if most is not None else f"at least {least:g}"
    print(f"{what:<45} {figure:>8.2f}  {limit:<13} {'met' if is_met else 'NOT MET'}", flush=True)
