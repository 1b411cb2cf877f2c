"""What a demo says to people when it is ready."""

from pathlib import Path

from spotbook.bootstrap import Running
from spotbook.sandbox.demo import DemoSecrets
from spotbook.wire.coinw.signing import sign_of

PATH = "/api/v1/private?command=returnCompleteBalances"


def welcome(running: Running, demo: DemoSecrets, data: Path | None) -> str:
    """Return the lines: where it is, by what it is reached, and one call that works as it stands."""
    account = demo.accounts[0]
    sign = sign_of({"api_key": account.api_key}, account.secret_key)
    where = f"in {data}, as they were left next time" if data else "fresh, and gone when it ends (--data keeps them)"
    return f"""\
Spotbook demo: an exchange of your own, with play money.

  url          {running.url}
  api key      {account.api_key}
  secret key   {account.secret_key}
  account      {account.id} ({account.name})
  admin url    {running.admin_url}
  admin token  {demo.admin_token}
  books        {where}

Its complete balances, by one signed call:

  curl -sS -d 'api_key={account.api_key}&sign={sign}' \\
    '{running.url}{PATH}'

Or, with this in the environment, by `spotbook balances`:

  export SPOTBOOK_URL={running.url}
  export SPOTBOOK_API_KEY={account.api_key}
  export SPOTBOOK_SECRET_KEY={account.secret_key}

Ctrl-C ends it.
"""
