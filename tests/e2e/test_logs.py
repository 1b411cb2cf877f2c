"""Nothing of a signed call is in any log, whatever becomes of the call; and the flood test over real time."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx2

from e2e.conftest import Served, Spotbook, StartDemo
from spotbook.wire.coinw.signing import sign_of

FORM = {"content-type": "application/x-www-form-urlencoded"}
CANARY = "canary-in-a-parameter"


def test_nothing_of_a_signed_call_is_logged(start_demo: StartDemo) -> None:
    demo = start_demo()
    params = {"memo": CANARY, "api_key": demo.api_key}
    sign = sign_of(params, demo.secret_key)
    path = f"{demo.url}/api/v1/private?command=returnCompleteBalances"
    query = urlencode({**params, "sign": sign})
    with httpx2.Client() as client:
        answers = [
            client.post(f"{path}&{query}"),
            client.post(path, content=query, headers=FORM),
            client.post(f"{path}&{query}&sign={sign}"),
            client.post(f"{path}&{query}", content=b"{", headers={"content-type": "application/json"}),
            client.post(f"{path}&{query[:-1]}"),
            client.get(f"{path}&{query}"),
            client.post(f"{demo.url}/nowhere?{query}"),
            client.post(f"{demo.url}/api/v1/private?command={quote(CANARY)}&{query}"),
            client.post(path, content=b"x" * 100_000 + query.encode()),
            client.get(f"{demo.url}/api/v1/public?command=timestamp&{query}"),
            client.get(f"{demo.admin_url}/admin/v1/accounts", headers={"authorization": f"Bearer {demo.admin_token}"}),
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 200, 405, 404, 200, 413, 200, 200]
    assert [answer.json()["code"] for answer in answers[:5]] == ["200", "200", "10003", "10003", "10007"]
    assert demo.stop() == 0
    logged = demo.stderr.read_text()
    for secret in (demo.api_key, demo.secret_key, sign, sign[:-1], CANARY, demo.admin_token):
        assert secret not in logged


def test_never_more_than_five_pass_in_any_two_seconds_of_a_flood(
    spotbook: Spotbook, served: Served, tmp_path: Path
) -> None:
    made = json.loads(spotbook("init", "--data", tmp_path / "books", "--json").stdout)
    environment = {"SPOTBOOK_MASTER_KEY": made["master_key"], "SPOTBOOK_LIMITS_LADDER_ENABLED": "false"}
    _, running = served(
        *("serve", "--data", tmp_path / "books", "--port", "0", "--admin-port", "0", "--json"), environment=environment
    )
    bodies = _two_keys_of_one_user(f"{running['admin_url']}/admin/v1", made["admin_token"])
    passed: list[tuple[float, float]] = []
    end = time.monotonic() + 20

    def flood(body: str) -> None:
        with httpx2.Client() as client:
            while (sent := time.monotonic()) < end:
                answer = client.post(
                    f"{running['url']}/api/v1/private?command=returnCompleteBalances", content=body, headers=FORM
                )
                if answer.json()["code"] == "200":
                    passed.append((sent, time.monotonic()))
                time.sleep(0.02)

    with ThreadPoolExecutor() as pool:
        list(pool.map(flood, bodies))
    # A call passed somewhere between its sending and its answer. So of any six, the span from the first's sending to
    # the last's answer reaches two seconds; anything less shows six within two seconds for certain.
    passed.sort()
    assert len(passed) >= 40
    for first, last in zip(passed, passed[5:], strict=False):
        assert last[1] - first[0] >= 2


def _two_keys_of_one_user(admin: str, token: str) -> list[str]:
    """Return the signed form of a call without parameters, once a key."""
    with httpx2.Client(headers={"authorization": f"Bearer {token}"}) as client:
        account = client.post(f"{admin}/accounts", json={"name": "flooder"}).json()["id"]
        keys = [client.post(f"{admin}/accounts/{account}/keys", json={"permissions": ["read"]}).json() for _ in "ab"]
    return [
        urlencode({"api_key": key["api_key"], "sign": sign_of({"api_key": key["api_key"]}, key["secret_key"])})
        for key in keys
    ]
