"""What to ask of a SQL Server before a task is made: T-SQL that only reads, one result for all.

The result has four columns, ``check``, ``table``, ``column`` and ``value``; it holds names, types
and counts, and no cell. ``judge_preflight`` tells what it means. Sources: the DMS user guide,
"SQL Server as a source"; Microsoft's catalogue views.
"""

from __future__ import annotations

from collections.abc import Iterator

from aspen_etl.schema.landing import LandedTable, Landing

__all__ = ["LOB_TYPES", "dms_preflight"]

#: The types whose cells may be longer than ``LobMaxSize``.
LOB_TYPES = ("text", "ntext", "image", "xml")

_HEAD = """\
-- What DMS needs of this database, and what it cannot carry. It reads, and changes nothing.
-- Save the result as CSV with its header, and give it to: aspen-etl dms preflight LANDING RESULT.
SET NOCOUNT ON;
DECLARE @found TABLE (
    [check] nvarchar(40) NOT NULL, [table] nvarchar(260) NOT NULL,
    [column] nvarchar(260) NOT NULL, [value] nvarchar(400) NOT NULL
);
DECLARE @sql nvarchar(max);

INSERT INTO @found
SELECT x.[check], N'', N'', x.[value]
FROM sys.databases AS d
CROSS APPLY (VALUES
    (N'recovery_model', CONVERT(nvarchar(400), d.recovery_model_desc) COLLATE DATABASE_DEFAULT),
    (N'snapshot_isolation',
        CONVERT(nvarchar(400), d.snapshot_isolation_state_desc) COLLATE DATABASE_DEFAULT),
    (N'edition', CONVERT(nvarchar(400), SERVERPROPERTY(N'Edition')))
) AS x ([check], [value])
WHERE d.database_id = DB_ID();

IF OBJECT_ID(N'msdb.dbo.cdc_jobs') IS NOT NULL
    INSERT INTO @found
    EXEC sys.sp_executesql N'SELECT N''polling_seconds'', N'''', N'''',
        CONVERT(nvarchar(400), j.pollinginterval)
        FROM msdb.dbo.cdc_jobs AS j
        WHERE j.database_id = DB_ID() AND j.job_type = N''capture''';
"""

_TABLE = """
-- {comment}
IF OBJECT_ID({object}, N'U') IS NULL
    INSERT INTO @found VALUES (N'missing', {name}, N'', N'');
ELSE
BEGIN
    INSERT INTO @found
    SELECT N'captured', {name}, N'', CONVERT(nvarchar(400), CONVERT(int, t.is_replicated)
        + CONVERT(int, t.is_tracked_by_cdc))
    FROM sys.tables AS t WHERE t.object_id = OBJECT_ID({object});

    INSERT INTO @found
    SELECT N'key', {name}, c.name, CONVERT(nvarchar(400), k.key_ordinal)
    FROM sys.indexes AS i
    JOIN sys.index_columns AS k ON k.object_id = i.object_id AND k.index_id = i.index_id
    JOIN sys.columns AS c ON c.object_id = k.object_id AND c.column_id = k.column_id
    WHERE i.is_primary_key = 1 AND k.key_ordinal > 0 AND i.object_id = OBJECT_ID({object});

    INSERT INTO @found
    SELECT x.[check], {name}, c.name, x.[value]
    FROM sys.columns AS c
    JOIN sys.types AS y ON y.user_type_id = c.user_type_id
    CROSS APPLY (VALUES
        (N'type', CONVERT(nvarchar(400), y.name) COLLATE DATABASE_DEFAULT),
        (N'collation', CONVERT(nvarchar(400), c.collation_name) COLLATE DATABASE_DEFAULT),
        (N'computed', CASE WHEN c.is_computed = 1 THEN N'1' END),
        (N'identity', CASE WHEN c.is_identity = 1 THEN N'1' END)
    ) AS x ([check], [value])
    WHERE c.object_id = OBJECT_ID({object}) AND x.[value] IS NOT NULL;

    INSERT INTO @found
    SELECT N'triggers', {name}, N'', CONVERT(nvarchar(400), COUNT_BIG(*))
    FROM sys.triggers AS g WHERE g.parent_id = OBJECT_ID({object}) AND g.is_disabled = 0;

    INSERT INTO @found
    SELECT N'rows', {name}, N'', CONVERT(nvarchar(400), COUNT_BIG(*)) FROM {quoted};

    SET @sql = N'';
    SELECT @sql = @sql + N' UNION ALL SELECT N''longest'', N' + QUOTENAME({name}, '''')
        + N', N' + QUOTENAME(c.name, '''')
        + N', CONVERT(nvarchar(400), COALESCE(MAX(CONVERT(bigint, DATALENGTH('
        + QUOTENAME(c.name) + N'))), 0)) FROM {dynamic}'
    FROM sys.columns AS c
    JOIN sys.types AS y ON y.user_type_id = c.user_type_id
    WHERE c.object_id = OBJECT_ID({object}) AND c.is_computed = 0
        AND (c.max_length = -1 OR y.name IN ({lobs}));
    IF @sql <> N''
    BEGIN
        SET @sql = STUFF(@sql, 1, 10, N'');
        INSERT INTO @found EXEC sys.sp_executesql @sql;
    END;
{alike}END;
"""

_ALIKE = """
    IF {there}
    BEGIN
        SET @sql = N'SELECT N''alike_keys'', {in_text}, N'''', CONVERT(nvarchar(400), COUNT_BIG(*))
            FROM (
                SELECT {folded_as} FROM {dynamic} GROUP BY {folded} HAVING COUNT_BIG(*) > 1
            ) AS a';
        INSERT INTO @found EXEC sys.sp_executesql @sql;
    END;
"""

_TAIL = """
SELECT [check], [table], [column], [value] FROM @found ORDER BY [check], [table], [column];
"""


def dms_preflight(landing: Landing, /) -> str:
    """Write the T-SQL that asks a SQL Server what a task needs to know.

    It creates nothing and changes nothing; it counts rows, and reads the lengths of long cells and
    the keys, so run it when the database has time.

    Examples:
        >>> from aspen_etl.schema.landing import LandedTable, Landing
        >>> text = dms_preflight(Landing("s3://raw/dms", {"loan": LandedTable("dbo.loan")}))
        >>> text.count("COUNT_BIG(*) > 1")
        1
    """
    return "".join(_parts(landing))


def _parts(landing: Landing) -> Iterator[str]:
    yield _HEAD
    for table in landing.tables.values():
        yield _of_table(table)
    yield _TAIL


def _of_table(table: LandedTable) -> str:
    quoted = f"{_quoted(table.schema)}.{_quoted(table.table)}"
    return _TABLE.format(
        comment=table.name,
        object=_text(quoted),
        name=_text(table.name),
        quoted=quoted,
        dynamic=_doubled(quoted),
        lobs=", ".join(map(_text, LOB_TYPES)),
        alike=_alike(table, quoted),
    )


def _alike(table: LandedTable, quoted: str) -> str:
    """Count keys that are equal but for letter case or outer white space, in any collation."""
    columns = [_folded(name) for name in table.key]
    there = (f"COL_LENGTH({_text(quoted)}, {_text(name)}) IS NOT NULL" for name in table.key)
    return _ALIKE.format(
        there=" AND ".join(there),
        in_text=_doubled(_text(table.name)),
        folded=_doubled(", ".join(columns)),
        folded_as=_doubled(", ".join(f"{each} AS k{at}" for at, each in enumerate(columns))),
        dynamic=_doubled(quoted),
    )


def _folded(name: str) -> str:
    text = f"CONVERT(nvarchar(4000), {_quoted(name)})"
    return f"LOWER(LTRIM(RTRIM({text}))) COLLATE Latin1_General_BIN2"


def _quoted(name: str) -> str:
    return f"[{name.replace(']', ']]')}]"


def _text(value: str) -> str:
    return f"N'{_doubled(value)}'"


def _doubled(value: str) -> str:
    return value.replace("'", "''")
