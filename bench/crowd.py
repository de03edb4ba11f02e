"""`python -m bench.crowd PORT SLUG BUYERS AT_ONCE`: a crowd of buyers in a process of its own; prints JSON."""

import json
import sys
import time
from collections import Counter

from bench import buyers


def main(port: int, slug: str, number: int, at_once: int) -> None:
    began = time.perf_counter()
    sold_at = [began]

    def buy(buyer: int) -> buyers.Outcome:
        outcome = buyers.buy(port, slug, buyer)
        if outcome.status == 303:
            sold_at.append(time.perf_counter())
        return outcome

    found = buyers.crowd([lambda buyer=buyer: buy(buyer) for buyer in range(number)], at_once)  # type: ignore[misc]
    told = {
        "statuses": Counter(outcome.status for outcome in found),
        "waits": [outcome.wait for outcome in found if outcome.status == 303],
        "whole": [outcome.whole for outcome in found],
        "seconds": time.perf_counter() - began,
        "sold_seconds": max(sold_at) - began,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
