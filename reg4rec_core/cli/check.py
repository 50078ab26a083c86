"""`reg4rec check`"""

from pathlib import Path
from typing import Any

import click

from reg4rec_core.cli.options import json_option, reading_run_option
from reg4rec_core.cli.output import emit

MARKS = {"passed": "pass", "failed": "FAIL", "unknown": "   ?"}


@click.command("check")
@reading_run_option
@json_option
def command(run: Path, as_json: bool) -> None:
    """Say whether a run is healthy: named checks against stated bounds, each with its reason.

    Reads what the run's own files say; what they do not say is unknown, with the command that tells.
    """
    from reg4rec_core.analysis.health import check_run
    from reg4rec_core.checkpoint import open_run

    checks = check_run(open_run(run))
    document = {"run": str(run), **count(checks), "checks": [check.to_json() for check in checks]}
    emit(document, text="\n".join([*map(line_of, checks), summary(document)]), as_json=as_json)


def count(checks: Any) -> dict[str, int]:
    return {verdict: sum(check.verdict == verdict for check in checks) for verdict in MARKS}


def line_of(check: Any) -> str:
    held = f"{check.value_text} ({check.bound_text})" if check.bound_text else check.value_text
    return f"{MARKS[check.verdict]}  {check.about + ': ' + check.name:58}{held}\n      {check.reason}"


def summary(document: dict[str, Any]) -> str:
    return ", ".join(f"{document[verdict]} {verdict}" for verdict in MARKS)
