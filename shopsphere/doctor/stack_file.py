"""Whether a stack's committed file is there and filled in."""

from __future__ import annotations

from shopsphere.doctor.question import failed
from shopsphere.estate import stack_files
from shopsphere.estate.pair_secrets import PAIR_SECRET_NAMES
from shopsphere.estate.stack import Environment, StackId
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import Finding, fails, passes


def stack_file(stack: StackId) -> Finding:
    """Look for the file, and for placeholders that are left in it."""
    if stack.environment is Environment.LAB:
        base = stack_files.base_file(stack)
        if base.exists():
            return passes(base.name)
        return fails(f"no {base.name}", f"add {base}; the other stacks show its shape")
    try:
        stack_files.check_production_file(stack, made_here=frozenset(PAIR_SECRET_NAMES))
    except ShopSphereError as error:
        return failed(error, "fill it in")
    return passes(stack_files.project_file(stack).name)
