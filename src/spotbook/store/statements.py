"""The SQL of each table, made from its columns as `app/projection.py` has them."""

from spotbook.app.projection import TABLES, Table
from spotbook.limits import SUM_MAX

HEAD = "SELECT number, time, hash FROM head"


class Statements:
    """The statements of one table, made from its columns."""

    def __init__(self, table: Table) -> None:
        keys, columns = table.columns[: table.keys], table.columns
        match = " AND ".join(f"{key} = ?" for key in keys)
        self.find = f"SELECT {', '.join(columns)} FROM {table.name} WHERE {match}"  # noqa: S608
        self._table = table
        self._find_all: dict[int, str] = {}
        self.rows = f"SELECT {', '.join(columns)} FROM {table.name} ORDER BY {', '.join(keys)}"  # noqa: S608
        self.count = f"SELECT count(*) FROM {table.name}"  # noqa: S608
        self.remove = f"DELETE FROM {table.name} WHERE {match}"  # noqa: S608
        self.empty = f"DELETE FROM {table.name}"  # noqa: S608
        self.put = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
        if not table.grows:
            self.put += f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {self._others(table)}"
        self.pages = {prefix: self._page(table, prefix) for prefix in range(table.keys)}
        sequences = {len(sequence): sequence for sequence in (table.ordered_by, keys) if sequence}
        self.spans = {length - 1: self._span(table, sequence) for length, sequence in sequences.items()}

    def find_all(self, count: int) -> str:
        """Return the statement that looks for so many keys, a third as dear as one after the other."""
        if count not in self._find_all:
            keys, columns = self._table.columns[: self._table.keys], self._table.columns
            asked = ", ".join([f"({', '.join('?' * len(keys))})"] * count)
            match = " AND ".join(f"kept.{key} = asked.{key}" for key in keys)
            # CROSS JOIN: SQLite would be free to go through the table and look each row up among the keys.
            self._find_all[count] = (
                f"WITH asked ({', '.join(keys)}) AS (VALUES {asked})"  # noqa: S608
                f" SELECT {', '.join(f'kept.{column}' for column in columns)}"
                f" FROM asked CROSS JOIN {self._table.name} AS kept ON {match}"
            )
        return self._find_all[count]

    @staticmethod
    def _others(table: Table) -> str:
        """Return what becomes of the columns beside the key when a row is set that is there."""
        if not table.merges:
            return ", ".join(f"{column} = excluded.{column}" for column in table.columns[table.keys :])
        ways = {
            "max": "max({0}, excluded.{0})",
            "min": "min({0}, excluded.{0})",
            "sum": f"CASE WHEN {{0}} > {SUM_MAX} - excluded.{{0}} THEN {SUM_MAX} ELSE {{0}} + excluded.{{0}} END",
            "last": "excluded.{0}",
        }
        return ", ".join(f"{column} = {ways[way].format(column)}" for column, way in table.merges)

    @staticmethod
    def _span(table: Table, sequence: tuple[str, ...]) -> tuple[str, str]:
        """Return the statements for a span from the largest down, and from the smallest up."""
        *given, last = sequence
        match = " AND ".join([*(f"{column} = ?" for column in given), f"{last} > ? AND {last} < ?"])
        source = table.name
        if sequence == table.ordered_by:
            # Left to choose, SQLite takes the key, and looks at all rows of the account for those of one market.
            source += f" INDEXED BY {table.name}_by_{given[-1]}"
        start = f"SELECT {', '.join(table.columns)} FROM {source} WHERE {match} ORDER BY {last}"  # noqa: S608
        return f"{start} DESC LIMIT ?", f"{start} LIMIT ?"

    @staticmethod
    def _page(table: Table, prefix: int) -> tuple[str, str]:
        """Return the statements for the first page and for a later one, with `prefix` key columns given."""
        keys, columns = table.columns[: table.keys], ", ".join(table.columns)
        given = [f"{key} = ?" for key in keys[:prefix]]
        rest = keys[prefix:]
        beyond = f"({', '.join(rest)}) > ({', '.join('?' * len(rest))})"
        end = f" ORDER BY {', '.join(keys)} LIMIT ?"
        start = f"SELECT {columns} FROM {table.name}"  # noqa: S608
        first = start + (f" WHERE {' AND '.join(given)}" if given else "") + end
        return first, f"{start} WHERE {' AND '.join([*given, beyond])}{end}"


STATEMENTS = {name: Statements(table) for name, table in TABLES.items()}
