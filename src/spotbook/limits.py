"""Every bound of Spotbook, in one file, with the reason beside each.

A bound that an operator may want to move is a setting (see ``settings.py``) whose default stands here.
"""

# --- requests ---------------------------------------------------------------------------------------

BODY_BYTES_MAX = 65_536
"""A private call has a handful of short parameters; 64 KiB is a hundred times what the longest needs."""

QUERY_BYTES_MAX = 16_384
"""The official helper puts every parameter into the URL; the HTTP parser's own bound lies just above."""

TARGETS_REMEMBERED = 256
TARGET_BYTES_REMEMBERED = 64
"""Targets of requests that are taken apart once: those of clients that put a call's parameters into its body are a few
dozen, and short."""

PARAMETERS_MAX = 64
"""The longest command has seven parameters; unknown ones are signed too, so some room is left for them."""

HEAD_BYTES_MAX = 65_536
"""A request line with all parameters in it, and headers: four times the largest query."""

MESSAGE_BYTES_MAX = HEAD_BYTES_MAX + 2 * BODY_BYTES_MAX
"""All that one request may send: a chunked body has a length before each chunk, and trailers after the last."""

REQUEST_SECONDS_MAX = 10
"""A request that has not arrived whole by then, head and body, is told so and cut off: it holds memory."""

IDLE_SECONDS_MAX = 75
"""A connection on which nothing was asked for so long is closed: clients reuse theirs sooner, or not at all."""

HEADERS_MAX = 128
"""Header lines of one request. A browser sends some twenty; each costs twenty times its shortest text in memory."""

PIPELINED_MAX = 64
"""Once so many requests of one connection wait for the one before them, what comes behind is not read until they are
answered: one that waits costs a hundred times the shortest request's bytes."""

PIECE_BYTES = 2_048
"""What is read of one connection between two looks at how many of its requests wait."""

OUTBOX_BYTES_MAX = 1_048_576
"""Replies that are handed to the system at the end of the loop's turn, and sooner once they are so many."""

CONNECTIONS_MAX = 4_096
"""Open connections of one listener: beyond them the answer is 503 at once, and memory stays bounded."""

CONNECTIONS_PER_ADDRESS_MAX = 256
"""Connections of one address: as many as a busy client's pool has, and a sixteenth of what there are."""

ADMIN_CONNECTIONS_MAX = 512
"""Connections of the Admin API's listener: operators, their programs, who reads the metrics."""

BACKLOG_MAX = 4_096
"""Connections that the kernel keeps until they are accepted: as many as one listener holds."""

ACCEPTED_A_TURN_MAX = 4
"""Then the loop looks at those who are in. One that is refused holds a file for some turns, until it was told so: what
is accepted meanwhile must fit among `DESCRIPTORS_RESERVED`."""

CONNECTIONS_MIN = 16
DESCRIPTORS_RESERVED = 48
"""Open files that are no connection's: some 25 for the books, their readers and the event loop, and room for as many
readers more as threads may want. A process that may open no more than these and a few serves nobody."""

MIN_VERSION_WAIT_MS = 1_000
"""How long a read waits for the version that the client asked for before it says busy."""

PAGE_ROWS_DEFAULT = 100
PAGE_ROWS_MAX = 1_000
"""One page must fit into a reply that is built in memory, and into a read of some milliseconds."""

# --- the writer ------------------------------------------------------------------------------------

QUEUE_COMMANDS_MAX = 8_192
"""What memory and patience bear: half a second of work for a quick machine, some seconds for a slow one. Orders of the
wire are turned away sooner, see `WAIT_MS_TARGET`."""

QUEUE_RESERVED = 1_024
"""The part of the queue kept for commands that give funds free, so that overload never traps an account."""

WAIT_MS_TARGET = 50
"""Once more wait than the writer answers in this time, an order is told "busy" instead of taken in. Who is taken in
then waits some times what a lone order waits for the disk, and not for as long as a full queue takes. When a flood
begins the writer has only half of the processor, so what is taken in by then waits twice as long."""

REFUSALS_SECONDS = 0.05
"""For how long orders that are sent away are counted, to see whether there are more of them than the writer's pace: no
longer than it takes to carry out what had been taken in before the first was sent away."""

PRESSED_SECONDS = 0.5
"""For how long there are then taken to be: when the loop stands still for a moment few are sent away in it, and a flood
is not over for that."""

COMMANDS_PRESSED_MAX = 8
"""Commands that may wait when there are: the writer leaves the processor to the loop, which tells the rest "busy"."""

PRESSED_GATHER_SECONDS = 0.02
"""For how long commands are gathered then before they are handed over. One by one, each few would be a batch with a
commit of its own, and the loop would wait for all of these."""

COMMANDS_WAITING_MIN = 64
"""Commands that may wait whatever the last batch took: one slow confirmation by the disk is no overload."""

COMMANDS_TOGETHER = 32
"""As many as have arrived are handed to the writer without a look at whether more are arriving: some milliseconds' work
of the loop, which goes on while the writer waits for the disk."""

BATCH_COMMANDS_MAX = 2_048
BATCH_EVENTS_MAX = 32_768
"""One transaction: large enough that the disk's confirmation costs little, small enough to answer soon."""

CACHE_ROWS_MAX = 262_144
"""Rows of each kind that the writer keeps in memory (some 60 MB of balances); the rest is read on demand."""

CACHE_SELDOM_PART = 32
"""Of what is hardly asked for twice (closed orders, references, deposits) one such part of that is kept: an
order is some twenty numbers, and each that was ever closed would stay until a quarter of a million had."""

CHECKPOINT_BATCHES = 4
"""The writer copies the log back into the file between batches, once the rows of so many like the last were written:
what all of them changed is copied once."""

CHECKPOINT_ROWS_MIN = 8_192
"""Of small batches it takes more. Somebody waits for each of them, and for what holds the writer up between them: some
40 ms each time, where it was 80 with four times as many rows. With fewer, less of what they share would be saved."""

CHECKPOINT_ROWS = 32_768
"""Of large batches it takes no more, and the log stays below 128 MiB."""

LOG_PAGES_MAX = 65_536
"""At 256 MiB of log, kept from beginning anew by readers that overlap, the writer waits for them for a moment."""

READ_SECONDS_MAX = 1
"""No reader holds a snapshot longer: it would keep the log from being copied back."""

# --- accounts, assets, markets ----------------------------------------------------------------------

UNITS_MAX = 2**62 - 1
"""The largest amount, in smallest units. Sums of two fit a signed 64-bit integer of either store."""

SUM_MAX = 2**63 - 1
"""Where the volume of a candle stays once it is reached: the largest integer of either store. The same units may change
hands any number of times, so that a volume has no bound of its own, and no trade may fail because of it."""

SCALE_MAX = 18
"""Decimals of an asset: 10^18 still leaves four whole digits below `UNITS_MAX`, and no chain uses more."""

ASSETS_MAX = 1_024
"""A complete balance lists every asset that an account holds, in one reply."""

MARKETS_MAX = 4_096

OPEN_ORDERS_MAX = 10_000
"""Open orders of one account: all are cancelled by one command, and listed in one reply."""

FILLS_MAX = 1_000
"""Fills of one command; what is left of the taker is cancelled. It bounds how long one command keeps all others."""

DEPTH_LEVELS_MAX = 20
"""Levels of each side of the book that the public is shown."""

OUT_TRADE_NO_CHARACTERS_MAX = 50

AMOUNT_CHARACTERS_MAX = 64
"""Longer than any amount that fits; text beyond it is refused before it is read."""

NAME_CHARACTERS_MAX = 64
LABEL_CHARACTERS_MAX = 64
REASON_CHARACTERS_MAX = 200
TXID_CHARACTERS_MAX = 128
CHAIN_CHARACTERS_MAX = 32
DEPOSIT_INDEX_MAX = 2**31 - 1

KEYS_LIVE_MAX = 20
"""Live API keys of one account, as on the exchange."""

KEY_ALLOW_MAX = 64
"""Address ranges of one key's allow-list."""

TOKENS_MAX = 1_024
"""Admin tokens ever made: they are looked up in memory, and a name is used once."""

ID_MAX = 2**53 - 1
"""Ids stay exact in JavaScript's numbers."""

# --- the limiter ------------------------------------------------------------------------------------

SUBJECTS_MAX = 100_000
"""Users and addresses that the limiter remembers at a time; the longest unseen is forgotten first."""

NONCES_MAX = 16_384
"""Nonces that one key may have in use: a user's 300 calls a second, for the 10 seconds that one can be kept, five times
over. Beyond it the key's calls are refused, since a nonce forgotten could be used again. At most some 2 MB a key."""

NONCE_KEYS_MAX = 65_536
"""Keys that have nonces in use at a time; a further one is refused until another's have aged."""

KEY_CACHE_MAX = 65_536
"""Unsealed keys kept in memory, so that a signed read decrypts nothing."""

AUDIT_ENTRIES_MAX = 1_000_000
"""Up to here `GET /audit` makes a fresh pass; beyond, it answers the last one finished."""

AUDIT_FINDINGS_MAX = 1_000
"""Findings of one audit. Books with more are beyond repair row by row; the report says that there are more."""

AUDIT_SLICE_ROWS = 128
"""Rows, or events, that the background audit takes in one step: less than a millisecond, after which others may go. A
transaction is not divided."""

AUDIT_SHARE = 0.1
"""The part of one core that the background audit takes, at most: a million entries in some ten minutes."""

AUDIT_PRESSED_PART = 0.2
"""The part of its share that it takes while the writer is pressed. It cannot keep up then, and orders wait for what it
takes: of 3,000 a second the slowest hundredth waited 53 ms at a share of 0.02, and 88 at 0.1. It goes on all the same,
so that no load keeps it from ever finding what is wrong."""

AUDIT_PRESSED_COMMANDS = 1_000
"""Commands a second from which on the writer is pressed: about what the background audit can follow with its whole
share on a slow core. Beyond that it falls behind anyway."""

AUDIT_ROWS_MAX = 2_000_000
"""Rows that change, of which the background audit keeps each once: 700 MB of balances, or 1.1 GB of open orders with
their holds. Beyond them it gives up."""

TRANSCRIPT_LINE_BYTES_MAX = 64 * 1_048_576
"""A batch at its bound is some 2 MB, and its quotation marks are escaped; beyond this a line is no batch's."""

# --- public data ------------------------------------------------------------------------------------

SYMBOLS_MAX = 20
"""Markets that one call may name in a list, as on the exchange."""

PUBLIC_TRADES_MAX = 50
CANDLES_MAX = 100
"""Rows of one public reply, as on the exchange."""
