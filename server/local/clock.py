"""Letting time pass in the database of `gatehouse up`.

What the rules decide depends on how long ago things happened. So to let a week pass, all that is stored is moved back
by a week, in one statement. The clocks of the machine and of authenticator apps stay right, and codes go on working.
"""

from __future__ import annotations

from datetime import timedelta

import asyncpg

# Without triggers: nothing has happened, it has only happened earlier.
MOVE_BACK = r"""
DO $do$
DECLARE
    passed interval := current_setting('gatehouse.passed')::interval;
    found record;
BEGIN
    PERFORM set_config('session_replication_role', 'replica', true);
    FOR found IN
        SELECT table_name, string_agg(CASE udt_name
            WHEN 'timestamptz' THEN format('%1$I = %1$I - $1', column_name)
            WHEN '_timestamptz' THEN format(
                '%1$I = ARRAY(SELECT each - $1 FROM unnest(%1$I) WITH ORDINALITY AS u (each, n) ORDER BY n)',
                column_name)
            ELSE format('%1$I = tstzrange(lower(%1$I) - $1, upper(%1$I) - $1)', column_name)
            END, ', ') AS moves
        FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
        WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> 'migrations'
            AND is_generated = 'NEVER' AND udt_name IN ('timestamptz', '_timestamptz', 'tstzrange')
        GROUP BY table_name
    LOOP
        EXECUTE format('UPDATE %I SET %s', found.table_name, found.moves) USING passed;
    END LOOP;
    UPDATE events SET data = (
        SELECT jsonb_object_agg(key, CASE
            WHEN value #>> '{}' ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$'
            THEN to_jsonb(to_char((value #>> '{}')::timestamptz - passed, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
            ELSE value END)
        FROM jsonb_each(data))
    WHERE data::text ~ '"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"';
END $do$
"""


async def let_pass(url: str, passed: timedelta) -> None:
    """Move all that is stored back by that much: all of it or, when this fails, nothing."""
    connection = await asyncpg.connect(url, server_settings={"timezone": "UTC"})
    try:
        await connection.execute(
            "SELECT set_config('gatehouse.passed', $1, false)", f"{passed.total_seconds()} seconds"
        )
        await connection.execute(MOVE_BACK)
    finally:
        await connection.close()
