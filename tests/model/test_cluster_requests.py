"""What becomes of a program in a container, as the API says it in the end."""

import json

import pytest

from shopsphere.storage.cluster import exec_problem

CODE = {"reason": "ExitCode", "message": "3"}
RUNTIME = "error executing command in container: failed to exec in container: OCI runtime exec failed"


@pytest.mark.parametrize(
    ("ended", "problem"),
    [
        ({"status": "Success", "metadata": {}}, ""),
        (
            {
                "status": "Failure",
                "reason": "NonZeroExitCode",
                "message": "command terminated with non-zero exit code",
                "details": {"causes": [CODE]},
            },
            "command terminated with non-zero exit code",
        ),
        # A program that could not be started: its cause is no number.
        (
            {
                "status": "Failure",
                "reason": "InternalError",
                "message": RUNTIME,
                "details": {"causes": [{"message": RUNTIME}]},
            },
            RUNTIME,
        ),
        ({"status": "Failure", "message": "container not found (postgres)"}, "container not found (postgres)"),
        ("", "the line broke before its end"),
        ("not JSON", "not JSON"),
        ("null", "null"),
    ],
)
def test_an_end_is_read(ended, problem):
    assert exec_problem(json.dumps(ended) if isinstance(ended, dict) else ended) == problem
