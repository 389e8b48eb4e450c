"""What Voirie is made of, and whether that is well:  python scripts/supply_chain sbom | licences | vulnerabilities.

`sbom` prints a CycloneDX document. `licences` needs no network and fails on a licence that is not admitted.
`vulnerabilities` asks a service (--service, otherwise OSV's): exit code 1 when something is known, 0 when nothing is;
0 with a warning when it could not ask, or 3 with --must-answer.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime

import licences
import sbom
import vulnerabilities
from lock import packages

EVERYTHING = ("run.txt", "streets.txt", "tracing.txt", "build.txt")


def main() -> int:
    """Do what is asked; return the exit code."""
    parser = argparse.ArgumentParser(prog="supply_chain", description=__doc__)
    parser.add_argument("what", choices=["sbom", "licences", "vulnerabilities"])
    parser.add_argument("--service", default="https://api.osv.dev", help="answers OSV's querybatch")
    parser.add_argument("--must-answer", action="store_true", help="fail when the service cannot be asked")
    told = parser.parse_args()
    if told.what == "sbom":
        print(json.dumps(sbom.document(packages()), indent=2))
        return 0
    if told.what == "licences":
        return _licences()
    return _vulnerabilities(told.service, must_answer=told.must_answer)


def _licences() -> int:
    everything = packages(*EVERYTHING)
    found = licences.findings(everything)
    for sentence in found:
        print(f"licences: {sentence}", file=sys.stderr)
    if not found:
        print(f"licences: {len(everything)} packages, all under admitted licences")
    return 1 if found else 0


def _vulnerabilities(service: str, *, must_answer: bool) -> int:
    everything = packages(*EVERYTHING)
    try:
        found = vulnerabilities.ask(everything, service=service, today=datetime.now(UTC).date())
    except vulnerabilities.UnreachableError as error:
        print(f"vulnerabilities: NOT AUDITED, the service did not answer ({error})", file=sys.stderr)
        return 3 if must_answer else 0
    open_findings = [finding for finding in found if finding.accepted is None]
    for finding in found:
        verdict = "OPEN" if finding.accepted is None else f"accepted: {finding.accepted}"
        print(f"vulnerabilities: {finding.package.name} {finding.package.version}: {finding.advisory} ({verdict})")
    print(f"vulnerabilities: {len(everything)} packages asked about, {len(open_findings)} open findings")
    return 1 if open_findings else 0


if __name__ == "__main__":
    sys.exit(main())
