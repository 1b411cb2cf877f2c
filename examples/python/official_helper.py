"""The same call in the words of the exchange's own documents. Reads the same three variables of the environment."""

import json
import os
import sys

from spotbook.client import SpotRestfulPrivate


def main() -> int:
    reply = SpotRestfulPrivate(
        os.environ.get("SPOTBOOK_URL", "http://127.0.0.1:8080"),
        "/api/v1/private?command=returnCompleteBalances",
        "POST",
        os.environ["SPOTBOOK_API_KEY"],
        {},
        os.environ["SPOTBOOK_SECRET_KEY"],
    )
    print(json.dumps(reply))
    return 0 if reply["code"] == "200" else 1


if __name__ == "__main__":
    sys.exit(main())
