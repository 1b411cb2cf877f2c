-- Entries and deposits lie in the sequence in which they were made, their keys in an index beside them. Laid out by
-- account each was a write into another page of the file, for the sake of statements, which are read seldom.

CREATE TABLE entry_made (
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
) STRICT;

INSERT INTO entry_made SELECT * FROM entry ORDER BY batch, account, version;

DROP TABLE entry;

ALTER TABLE entry_made RENAME TO entry;

CREATE TABLE deposit_made (
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
) STRICT;

INSERT INTO deposit_made SELECT * FROM deposit ORDER BY id;

DROP TABLE deposit;

ALTER TABLE deposit_made RENAME TO deposit;
