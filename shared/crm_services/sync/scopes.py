"""The runs of one scope, found by their index however many others there are."""


def of_scope(run: str, scope: str, before: str = "9223372036854775807") -> str:
    """The condition that a run is one of the scope's (0: everybody's) with an id below that.

    The scope is bounded from both sides, as of an equality the planner might think that the newest runs of all soon
    lead to one of the scope, and read a flood of another's.
    """
    return f"coalesce({run}.tenant_id, 0) >= {scope} and (coalesce({run}.tenant_id, 0), {run}.id) < ({scope}, {before})"


def newest(run: str) -> str:
    """The order of such runs, newest first, which the index alone has."""
    return f"coalesce({run}.tenant_id, 0) desc, {run}.id desc"
