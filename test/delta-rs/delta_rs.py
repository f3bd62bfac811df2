"""delta-rs as a second opinion: reads one JSON request a line, answers with one JSON line. See delta-rs.ts."""

import datetime
import decimal
import hashlib
import json
import sys

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, write_deltalake


def plain(value, kind):
    """As our engine returns values: what a JSON number could round is text, instants are RFC 3339 in UTC."""
    if value is None or isinstance(value, (bool, list)):
        return value
    if isinstance(value, datetime.datetime):
        text = value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
        fraction = f"{value.microsecond:06d}".rstrip("0")
        return text + (f".{fraction}" if fraction else "") + "Z"
    if isinstance(value, (datetime.date, decimal.Decimal)):
        return str(value)
    if isinstance(value, int) and pa.types.is_int64(kind):
        return str(value)
    return value


def typed(rows, schema):
    """Rows of a request as Arrow: the texts of `plain` become values again."""

    def parse(value, kind):
        if value is None:
            return None
        if pa.types.is_timestamp(kind):
            return datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        if pa.types.is_date(kind):
            return datetime.date.fromisoformat(value)
        if pa.types.is_decimal(kind):
            return decimal.Decimal(value)
        if pa.types.is_integer(kind):
            return int(value)
        return value

    parsed = [{field.name: parse(row.get(field.name), field.type) for field in schema} for row in rows]
    return pa.Table.from_pylist(parsed, schema=schema)


def arrow_schema(table):
    return pa.schema(table.schema().to_arrow())


def read(table):
    found = table.to_pyarrow_table()
    kinds = {field.name: field.type for field in found.schema}
    return [{name: plain(value, kinds[name]) for name, value in row.items()} for row in found.to_pylist()]


def digest(table, without):
    """How many rows there are, and a digest of them in no particular order."""
    found = table.to_pyarrow_table()
    texts = []
    for name in sorted(name for name in found.column_names if name not in without):
        column = found[name]
        if pa.types.is_list(column.type):
            text = pa.chunked_array([[json.dumps(value) for value in column.to_pylist()]], type=pa.string())
        else:
            text = pc.cast(column, pa.string())
        # the length tells 'a','bc' from 'ab','c', and a NULL from an empty text
        size = pc.cast(pc.fill_null(pc.binary_length(text), -1), pa.string())
        texts += [size, pc.fill_null(text, "")]
    rows = pc.binary_join_element_wise(*texts, "|").to_pylist()
    return f"{found.num_rows} rows {hashlib.sha256(chr(10).join(sorted(rows)).encode()).hexdigest()[:16]}"


TYPES = {
    "string": pa.string(),
    "integer": pa.int32(),
    "long": pa.int64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "decimal": pa.decimal128(12, 2),
    "strings": pa.list_(pa.string()),
}


def write(path, columns, partition_by, rows):
    """Appends, and makes the table if there is none."""
    schema = pa.schema([pa.field(name, TYPES[kind], nullable) for name, kind, nullable in columns])
    write_deltalake(path, typed(rows, schema), mode="append", partition_by=partition_by)


def merge(table, rows, on):
    source = typed(rows, arrow_schema(table))
    merger = table.merge(source, on, source_alias="s", target_alias="t")
    return merger.when_matched_update_all().when_not_matched_insert_all().execute()


def orphans(table):
    """What vacuum would remove if nothing had to wait: relative paths."""
    return table.vacuum(retention_hours=0, dry_run=True, enforce_retention_duration=False, full=True)


COMMANDS = {
    "read": lambda path: read(DeltaTable(path)),
    "digest": lambda path, without: digest(DeltaTable(path), without),
    "schema": lambda path: DeltaTable(path).schema().to_json(),
    "version": lambda path: DeltaTable(path).version(),
    "history": lambda path: DeltaTable(path).history(),
    "transaction": lambda path, app: DeltaTable(path).transaction_version(app),
    "compact": lambda path: DeltaTable(path).optimize.compact(),
    "checkpoint": lambda path: DeltaTable(path).create_checkpoint(),
    "vacuum": lambda path: DeltaTable(path).vacuum(dry_run=True),
    "orphans": lambda path: orphans(DeltaTable(path)),
    "merge": lambda path, rows, on: merge(DeltaTable(path), rows, on),
    "write": write,
}

for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"answer": COMMANDS[request["command"]](*request["args"])}
    except BaseException as error:  # a panic of the Rust side is no Exception
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer, default=str), flush=True)
