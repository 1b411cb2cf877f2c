-- Trading: open orders, which are what the books are rebuilt from; closed orders; fills as their accounts see them;
-- trades as the public sees them, and candles of them.

ALTER TABLE market ADD COLUMN value_max INTEGER NOT NULL DEFAULT 0;
ALTER TABLE market ADD COLUMN orders_max INTEGER NOT NULL DEFAULT 10000;
ALTER TABLE market ADD COLUMN bound_ppm INTEGER NOT NULL DEFAULT 100000;

CREATE TABLE open_order (
    account      INTEGER NOT NULL,
    id           INTEGER NOT NULL,
    market       INTEGER NOT NULL,
    side         TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
    kind         TEXT NOT NULL CHECK (kind IN ('limit', 'post_only')),
    price        INTEGER NOT NULL CHECK (price > 0),
    amount       INTEGER NOT NULL CHECK (amount > 0),
    funds        INTEGER NOT NULL CHECK (funds = 0),
    filled       INTEGER NOT NULL CHECK (filled >= 0 AND filled < amount),
    value        INTEGER NOT NULL CHECK (value >= 0),
    fee          INTEGER NOT NULL CHECK (fee >= 0),
    status       TEXT NOT NULL CHECK (status IN ('open', 'partly_filled')),
    out_trade_no TEXT NOT NULL,
    placed_at    INTEGER NOT NULL,
    changed_at   INTEGER NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE closed_order (
    account      INTEGER NOT NULL,
    id           INTEGER NOT NULL,
    market       INTEGER NOT NULL,
    side         TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
    kind         TEXT NOT NULL CHECK (kind IN ('limit', 'post_only', 'market')),
    price        INTEGER NOT NULL,
    amount       INTEGER NOT NULL,
    funds        INTEGER NOT NULL,
    filled       INTEGER NOT NULL CHECK (filled >= 0),
    value        INTEGER NOT NULL CHECK (value >= 0),
    fee          INTEGER NOT NULL CHECK (fee >= 0),
    status       TEXT NOT NULL CHECK (status IN ('filled', 'cancelled')),
    out_trade_no TEXT NOT NULL,
    placed_at    INTEGER NOT NULL,
    changed_at   INTEGER NOT NULL,
    batch        INTEGER NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX closed_order_by_market ON closed_order (account, market, id);

-- Which order an account's out_trade_no belongs to; 0 when it was closed before any order had it.
CREATE TABLE out_trade_no (
    account      INTEGER NOT NULL,
    out_trade_no TEXT NOT NULL,
    order_id     INTEGER NOT NULL,
    batch        INTEGER NOT NULL,
    PRIMARY KEY (account, out_trade_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE fill (
    account  INTEGER NOT NULL,
    id       INTEGER NOT NULL,
    order_id INTEGER NOT NULL,
    market   INTEGER NOT NULL,
    side     TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
    role     TEXT NOT NULL CHECK (role IN ('maker', 'taker')),
    price    INTEGER NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount > 0),
    value    INTEGER NOT NULL CHECK (value > 0),
    fee      INTEGER NOT NULL CHECK (fee >= 0),
    made_at  INTEGER NOT NULL,
    batch    INTEGER NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX fill_by_market ON fill (account, market, id);

CREATE TABLE trade (
    market  INTEGER NOT NULL,
    id      INTEGER NOT NULL,
    side    TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
    price   INTEGER NOT NULL,
    amount  INTEGER NOT NULL,
    value   INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    batch   INTEGER NOT NULL,
    PRIMARY KEY (market, id)
) STRICT, WITHOUT ROWID;

-- Price of the first and last trade, highest and lowest, base amount and quote value, from `opens_at` for `seconds`.
CREATE TABLE candle (
    market   INTEGER NOT NULL,
    seconds  INTEGER NOT NULL,
    opens_at INTEGER NOT NULL,
    open     INTEGER NOT NULL,
    high     INTEGER NOT NULL,
    low      INTEGER NOT NULL,
    close    INTEGER NOT NULL,
    amount   INTEGER NOT NULL,
    value    INTEGER NOT NULL,
    PRIMARY KEY (market, seconds, opens_at)
) STRICT, WITHOUT ROWID;
