"""What became of every order that a customer was promised: compares a journal of bench/orders.py with the databases.

Usage: python bench/verify_orders.py JOURNAL SITE
Prints one JSON object: acknowledged orders, those missing from `commerce` and from `ledger`, those with more than one
payment, and whether debits equal credits. Exit code 1 when a payment is missing or doubled, or the ledger is uneven.
"""

import json
import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def ask(site: str, database: str, statement: str) -> list[str]:
    command = [str(REPOSITORY / ".venv/bin/shopsphere"), "lab", "psql", site, database, "--", "-XAt", "-c", statement]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()


def main() -> None:
    journal, site = json.loads(Path(sys.argv[1]).read_text()), sys.argv[2]
    promised = {each["order"] for each in journal["orders"]}
    charged = {each["order"] for each in journal["orders"] if each["paid"]}
    orders = set(ask(site, "commerce", 'select id from orders."order"'))
    paid = Counter(ask(site, "ledger", "select key from payments.payment"))
    uneven = ask(site, "ledger", "select coalesce(sum(amount_minor), 0) from ledger.entry") != ["0"]
    missing = [order for order in charged if not paid[f"order-{uuid.UUID(order).hex}"]]
    doubled = [key for key, count in paid.items() if count > 1]
    found = {
        "acknowledged": len(promised),
        "lost orders": len(promised - orders),
        "lost payments": len(missing),
        "doubled payments": len(doubled),
        "debits equal credits": not uneven,
    }
    json.dump(found, sys.stdout)
    sys.exit(bool(missing or doubled or uneven))


if __name__ == "__main__":
    main()
