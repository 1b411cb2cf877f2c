-- The books. `batch` is the journal and the truth; every other table but meta, head and key_secret follows from it.
-- Amounts are whole numbers of an asset's smallest unit, times are milliseconds since 1970.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The journal's end, and which writer (epoch) may move it. One row.
CREATE TABLE head (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL,
    time   INTEGER NOT NULL,
    hash   BLOB NOT NULL CHECK (length(hash) = 32),
    epoch  INTEGER NOT NULL
) STRICT;

CREATE TABLE batch (
    number INTEGER NOT NULL PRIMARY KEY,
    time   INTEGER NOT NULL,
    hash   BLOB NOT NULL CHECK (length(hash) = 32),
    body   BLOB NOT NULL
) STRICT;

-- Sealed secrets of API keys. Not derived from the journal, so that they can be sealed anew with another master key.
CREATE TABLE key_secret (
    api_key TEXT NOT NULL PRIMARY KEY,
    sealed  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE counter (
    name  TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE standing (
    id       INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    standing TEXT NOT NULL CHECK (standing IN ('running', 'halted', 'stopped')),
    reason   TEXT NOT NULL,
    since    INTEGER NOT NULL
) STRICT;

CREATE TABLE asset (
    id         INTEGER NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    scale      INTEGER NOT NULL CHECK (scale BETWEEN 0 AND 18),
    supply_max INTEGER NOT NULL CHECK (supply_max > 0)
) STRICT;

CREATE TABLE market (
    id              INTEGER NOT NULL PRIMARY KEY,
    symbol          TEXT NOT NULL UNIQUE,
    base            INTEGER NOT NULL,
    quote           INTEGER NOT NULL,
    price_decimals  INTEGER NOT NULL,
    amount_decimals INTEGER NOT NULL,
    value_min       INTEGER NOT NULL,
    price_min       INTEGER NOT NULL,
    price_max       INTEGER NOT NULL,
    amount_min      INTEGER NOT NULL,
    amount_max      INTEGER NOT NULL,
    maker_fee_ppm   INTEGER NOT NULL,
    taker_fee_ppm   INTEGER NOT NULL,
    self_trade      TEXT NOT NULL,
    state           TEXT NOT NULL
) STRICT;

CREATE TABLE account (
    id        INTEGER NOT NULL PRIMARY KEY,
    kind      TEXT NOT NULL CHECK (kind IN ('world', 'fees', 'user', 'wealth')),
    name      TEXT NOT NULL,
    parent    INTEGER NOT NULL,
    frozen    INTEGER NOT NULL CHECK (frozen IN (0, 1)),
    opened_at INTEGER NOT NULL
) STRICT;

CREATE TABLE wealth_account (
    parent  INTEGER NOT NULL PRIMARY KEY,
    account INTEGER NOT NULL
) STRICT;

-- World (account 1) holds the negative of everybody else; nobody else is ever below zero.
CREATE TABLE balance (
    account   INTEGER NOT NULL,
    asset     INTEGER NOT NULL,
    available INTEGER NOT NULL CHECK (available >= 0 OR account = 1),
    frozen    INTEGER NOT NULL CHECK (frozen >= 0),
    version   INTEGER NOT NULL,
    PRIMARY KEY (account, asset)
) STRICT, WITHOUT ROWID;

CREATE TABLE entry (
    account          INTEGER NOT NULL,
    version          INTEGER NOT NULL,
    asset            INTEGER NOT NULL,
    available_before INTEGER NOT NULL,
    available_after  INTEGER NOT NULL,
    frozen_before    INTEGER NOT NULL,
    frozen_after     INTEGER NOT NULL,
    why              TEXT NOT NULL,
    ref              INTEGER NOT NULL,
    batch            INTEGER NOT NULL,
    PRIMARY KEY (account, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE hold (
    account INTEGER NOT NULL,
    asset   INTEGER NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('order', 'withdrawal')),
    id      INTEGER NOT NULL,
    amount  INTEGER NOT NULL CHECK (amount > 0),
    PRIMARY KEY (account, asset, kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE deposit (
    account    INTEGER NOT NULL,
    id         INTEGER NOT NULL,
    asset      INTEGER NOT NULL,
    amount     INTEGER NOT NULL CHECK (amount > 0),
    txid       TEXT NOT NULL,
    txid_index INTEGER NOT NULL,
    chain      TEXT NOT NULL,
    version    INTEGER NOT NULL,
    made_at    INTEGER NOT NULL,
    batch      INTEGER NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

-- What makes a deposit unique over all accounts; a table of its own, so that the others can be split by account.
CREATE TABLE deposit_identity (
    asset      INTEGER NOT NULL,
    chain      TEXT NOT NULL,
    txid       TEXT NOT NULL,
    txid_index INTEGER NOT NULL,
    account    INTEGER NOT NULL,
    deposit    INTEGER NOT NULL,
    PRIMARY KEY (asset, chain, txid, txid_index)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_key (
    api_key     TEXT NOT NULL PRIMARY KEY,
    account     INTEGER NOT NULL,
    permissions TEXT NOT NULL,
    allow       TEXT NOT NULL,
    label       TEXT NOT NULL,
    made_at     INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    revoked_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX api_key_by_account ON api_key (account, made_at, api_key);

CREATE TABLE token (
    name       TEXT NOT NULL PRIMARY KEY,
    id         INTEGER NOT NULL,
    digest     TEXT NOT NULL,
    roles      TEXT NOT NULL,
    made_at    INTEGER NOT NULL,
    revoked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ban (
    subject TEXT NOT NULL,
    began   INTEGER NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('ban', 'blacklist')),
    until   INTEGER NOT NULL,
    PRIMARY KEY (subject, began)
) STRICT, WITHOUT ROWID;

CREATE TABLE ban_lift (
    subject   TEXT NOT NULL PRIMARY KEY,
    lifted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
