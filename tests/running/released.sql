-- up to migration 85

-- accounts.py: load
SELECT id AS account_id, name AS account_name, required_since, grace_days, grace_deadline, policy_updated_at,
            joiner_days, required_of
        FROM accounts WHERE id = $1

-- audit.py: page
SELECT events.id, occurred_at, actors.email AS actor_email, subjects.email AS subject_email,
            type, events.account_id, subject_id, actor_id, data, service_key
        FROM account_events
        JOIN events ON events.id = event_id
        LEFT JOIN users AS actors ON actors.id = actor_id
        LEFT JOIN users AS subjects ON subjects.id = subject_id
        WHERE account_events.account_id = $1
            AND ($2::bigint IS NULL OR event_id < $2)
            AND type = ANY ($3)
            AND ($4::text IS NULL OR actors.email = $4 OR subjects.email = $4)
        ORDER BY event_id DESC
        LIMIT $5

-- backup_codes.py: replace
UPDATE factors SET backup_salt = $2, backup_key_id = $3 WHERE user_id = $1

-- backup_codes.py: replace
DELETE FROM backup_codes WHERE user_id = $1

-- backup_codes.py: replace
INSERT INTO backup_codes (user_id, digest) SELECT $1, unnest($2::bytea[])

-- backup_codes.py: spend
WITH spent AS (DELETE FROM backup_codes WHERE user_id = $1 AND digest = $2 RETURNING digest)
        SELECT count(*) - 1 FROM backup_codes, (SELECT count(*) AS n FROM spent) AS s
        WHERE user_id = $1 AND s.n = 1
        HAVING count(*) > 0

-- bell.py: _toll
NOTIFY gatehouse_events

-- challenges.py: open_challenge
INSERT INTO challenges (user_id, token_hash, use_cookie, amr, user_agent, ip_address, service_key, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, now() + $8::interval)
        RETURNING expires_at

-- challenges.py: charge
UPDATE challenges SET attempts = attempts + 1
        WHERE token_hash = $1 AND attempts < $2 AND expires_at > now()
        RETURNING id, user_id, use_cookie, attempts, amr, user_agent, ip_address, service_key

-- challenges.py: give_back
UPDATE challenges SET attempts = attempts - 1 WHERE id = $1

-- challenges.py: drop_oldest
DELETE FROM challenges WHERE id IN (
            SELECT id FROM challenges WHERE user_id = $1 ORDER BY expires_at DESC, id OFFSET $2
        )

-- challenges.py: consume
DELETE FROM challenges WHERE id = $1 AND expires_at > now()

-- challenges.py: drop_all
DELETE FROM challenges WHERE user_id = $1

-- compliance.py: at
WITH asked AS (
            SELECT coalesce($2, now()) AS at WHERE $2 IS NULL OR $2 <= clock_timestamp()
        ), policy AS (
            SELECT asked.at, policy_history.* FROM asked, policy_history
            WHERE account_id = $1 AND valid_from <= at AND (valid_to IS NULL OR valid_to > at)
        ), members AS (
            SELECT is_enrolled, is_excepted AND NOT is_enrolled AS is_excepted,
                mfa_state(is_enrolled, is_reset, deadline, at) AS state
            FROM policy, LATERAL (
                SELECT
                    EXISTS (SELECT FROM factor_history WHERE factor_history.user_id = member.user_id
                        AND valid_from <= at AND (valid_to IS NULL OR valid_to > at)) AS is_enrolled,
                    EXISTS (SELECT FROM reset_history WHERE reset_history.user_id = member.user_id
                        AND valid_from <= at AND (valid_to IS NULL OR valid_to > at)) AS is_reset,
                    coalesce(excepted.until > at, false) AS is_excepted,
                    mfa_deadline(required_since, grace_deadline, joiner_days, required_of, member.role,
                        member.joined_at, excepted.until) AS deadline
                FROM member_history AS member
                LEFT JOIN mfa_exceptions AS excepted
                    ON excepted.account_id = $1 AND excepted.user_id = member.user_id
                    AND excepted.created_at <= at AND (excepted.ended_at IS NULL OR excepted.ended_at > at)
                WHERE member.account_id = $1 AND member.valid_from <= at
                    AND (member.valid_to IS NULL OR member.valid_to > at)
            ) AS member
        ), counted AS (
            SELECT count(*) AS staff_count, count(*) FILTER (WHERE is_enrolled) AS enrolled_count,
                count(*) FILTER (WHERE state = 'NOT_ENABLED') AS pending_count,
                count(*) FILTER (WHERE state = 'BLOCKED') AS blocked_count,
                count(*) FILTER (WHERE is_excepted) AS excepted_count
            FROM members
        )
        SELECT at, required_since, grace_days, grace_deadline, joiner_days, required_of,
            staff_count, enrolled_count, pending_count, blocked_count, excepted_count
        FROM policy, counted

-- compliance.py: exceptions_at
SELECT mfa_exceptions.id, staff.id AS staff_id, mfa_exceptions.user_id, users.email, kind, is_break_glass,
            until, reason, authors.email AS author_email, mfa_exceptions.created_at, ended_at
        FROM mfa_exceptions
        JOIN users ON users.id = mfa_exceptions.user_id
        LEFT JOIN users AS authors ON authors.id = author_id
        LEFT JOIN staff ON staff.account_id = mfa_exceptions.account_id AND staff.user_id = mfa_exceptions.user_id
        WHERE mfa_exceptions.account_id = $1 AND mfa_exceptions.created_at <= $2
            AND (ended_at IS NULL OR ended_at > $2) AND until > $2
        ORDER BY mfa_exceptions.created_at DESC, mfa_exceptions.id
        LIMIT $3

-- credentials.py: subject
SELECT id, email, password_hash IS NOT NULL AS has_password,
            reenrollment_required_at IS NOT NULL
            OR EXISTS (SELECT FROM factors WHERE factors.user_id = users.id)
            OR EXISTS (SELECT FROM staff JOIN accounts ON accounts.id = account_id
                WHERE staff.user_id = users.id AND (invited_at IS NULL OR staff.id = $2)
                    AND required_since IS NOT NULL) AS needs_second_factor
        FROM users WHERE id = $1

-- deliveries.py: claim
WITH due_first AS (
            SELECT DISTINCT user_id FROM (
                SELECT user_id FROM deliveries WHERE queue = $1 AND state = 'pending' AND next_attempt_at <= now()
                ORDER BY next_attempt_at, id LIMIT $3 * 3
            ) AS due
        ), waiting AS (
            -- of each of these people the mail of the earliest event, even if it waits in the other queue or for later
            SELECT id FROM deliveries
            WHERE state = 'pending' AND id IN (
                SELECT earliest.id FROM due_first, LATERAL (
                    SELECT id, event_id FROM deliveries AS own
                    WHERE own.user_id = due_first.user_id AND own.state IN ('pending', 'sending')
                    ORDER BY event_id, id LIMIT 1
                ) AS earliest
                WHERE NOT EXISTS (SELECT FROM events AS unplanned
                    WHERE unplanned.subject_id = due_first.user_id AND unplanned.id < earliest.event_id
                        AND unplanned.dispatched_at IS NULL AND unplanned.failure IS NULL)
            )
            ORDER BY next_attempt_at, id LIMIT $3 FOR UPDATE SKIP LOCKED
        ), abandoned AS (
            SELECT id FROM deliveries
            WHERE queue = $1 AND state = 'sending' AND claimed_at < now() - $7::interval
            LIMIT $3 FOR UPDATE SKIP LOCKED
        ), due AS (
            SELECT id FROM abandoned UNION ALL SELECT id FROM waiting LIMIT $3
        ), judged AS (
            SELECT due.id, occurred_at, accounts.name AS account_name, type, events.account_id, subject_id,
                actor_id, data, service_key, request_id,
                CASE
                    WHEN body_sent_at IS NOT NULL AND resends = 0 THEN 'sent'
                    WHEN expires_at <= now() THEN 'dropped'
                    WHEN users.email <> deliveries.email AND holds_while IS DISTINCT FROM 'FORMER_ADDRESS'
                    THEN 'dropped'
                    WHEN NOT CASE holds_while
                        WHEN 'ENROLLED' THEN factors.user_id IS NOT NULL
                        WHEN 'NOT_ENROLLED' THEN factors.user_id IS NULL
                        WHEN 'MEMBER_NOT_ENROLLED' THEN
                            factors.user_id IS NULL AND staff.id IS NOT NULL AND staff.invited_at IS NULL
                        WHEN 'INVITED' THEN staff.invited_at IS NOT NULL
                        WHEN 'OWNER' THEN coalesce(staff.role = 'OWNER' AND staff.invited_at IS NULL, false)
                        ELSE true END
                    THEN 'dropped'
                    WHEN deliveries.required_since IS NULL THEN 'sending'
                    WHEN accounts.required_since = deliveries.required_since
                        AND mfa_deadline(accounts, staff) = coalesce(deadline, accounts.grace_deadline)
                        AND factors.user_id IS NULL
                    THEN 'sending'
                    ELSE 'dropped'
                END AS fate
            FROM due
            JOIN deliveries ON deliveries.id = due.id
            JOIN events ON events.id = deliveries.event_id
            JOIN users ON users.id = deliveries.user_id
            LEFT JOIN factors ON factors.user_id = deliveries.user_id
            LEFT JOIN accounts ON accounts.id = events.account_id
            LEFT JOIN staff ON staff.account_id = events.account_id AND staff.user_id = deliveries.user_id
        ), claimed AS (
            UPDATE deliveries
            SET state = fate,
                claim_id = CASE WHEN fate = 'sending' THEN $2::uuid END,
                claimed_at = CASE WHEN fate = 'sending' THEN now() END,
                sent_at = CASE WHEN fate = 'sent' THEN body_sent_at END,
                last_error = CASE WHEN fate = 'sent' THEN $6 ELSE last_error END,
                attempts = attempts + (fate = 'sending')::int,
                resends = resends - (fate = 'sending' AND body_sent_at IS NOT NULL)::int,
                body_sent_at = NULL
            FROM judged WHERE deliveries.id = judged.id
            RETURNING deliveries.id, event_id, message, email, attempts, state, occurred_at, account_name,
                type, account_id, subject_id, actor_id, data, service_key, request_id,
                created_at < now() - make_interval(hours => $4) OR attempts >= $5 AS is_overdue
        )
        SELECT id, event_id, message, email, attempts, is_overdue, occurred_at, account_name,
            type, account_id, subject_id, actor_id, data, service_key, request_id
        FROM claimed WHERE state = 'sending' ORDER BY id

-- deliveries.py: renew
UPDATE deliveries SET claimed_at = now() WHERE claim_id = $1 AND state = 'sending'

-- deliveries.py: leave
WITH quick AS MATERIALIZED (
            SELECT set_config('synchronous_commit', 'off', true) AS setting
        ), marked AS (
            UPDATE deliveries
            SET state = CASE WHEN id = ANY ($2) THEN 'sent' ELSE state END,
                sent_at = CASE WHEN id = ANY ($2) THEN now() END,
                claim_id = CASE WHEN id = ANY ($2) THEN NULL ELSE claim_id END,
                claimed_at = CASE WHEN id = ANY ($2) THEN NULL ELSE now() END,
                body_sent_at = CASE WHEN id = ANY ($2) THEN NULL ELSE now() END
            FROM quick
            WHERE id = ANY (array_append($2::bigint[], $3::bigint)) AND claim_id = $1 AND state = 'sending'
            RETURNING id, event_id, user_id
        ), shown AS (
            UPDATE staff SET last_reminded_at = now(), reminder_claimed_at = now()
            FROM marked JOIN events ON events.id = marked.event_id
            WHERE marked.id = ANY ($2) AND events.type = 'GRACE_REMINDER_SENT'
                AND staff.account_id = events.account_id AND staff.user_id = marked.user_id
        )
        SELECT EXISTS (SELECT FROM marked WHERE id = $3)

-- deliveries.py: try_later
WITH put_off AS (
            UPDATE deliveries SET state = 'pending', claim_id = NULL, claimed_at = NULL, body_sent_at = NULL,
                last_error = $3, next_attempt_at = now() + make_interval(secs => pause_s)
            FROM unnest($2::bigint[], $4::float8[]) AS later (id, pause_s)
            WHERE deliveries.id = later.id AND claim_id = $1 AND state = 'sending'
            RETURNING deliveries.id, user_id, event_id, next_attempt_at
        )
        UPDATE deliveries SET next_attempt_at = put_off.next_attempt_at
        FROM put_off
        WHERE deliveries.user_id = put_off.user_id AND state = 'pending'
            AND (deliveries.event_id, deliveries.id) > (put_off.event_id, put_off.id)
            AND deliveries.next_attempt_at < put_off.next_attempt_at

-- deliveries.py: fail
UPDATE deliveries SET state = 'failed', claim_id = NULL, claimed_at = NULL, body_sent_at = NULL, last_error = $3
        WHERE claim_id = $1 AND id = ANY ($2) AND state = 'sending'

-- deliveries.py: revive
UPDATE deliveries SET state = 'pending', next_attempt_at = now() + make_interval(secs => $2)
        WHERE id = ANY ($1) AND state = 'failed' AND created_at > now() - make_interval(hours => $3)

-- deliveries.py: drop
UPDATE deliveries SET state = 'dropped', claim_id = NULL, claimed_at = NULL, body_sent_at = NULL
        WHERE claim_id = $1 AND id = ANY ($2) AND state = 'sending'

-- deliveries.py: release
UPDATE deliveries SET state = 'pending', claim_id = NULL, claimed_at = NULL, attempts = attempts - 1
        WHERE claim_id = $1 AND state = 'sending' AND body_sent_at IS NULL

-- deliveries.py: due_queues
SELECT queue
        FROM (SELECT pg_try_advisory_xact_lock($1) AS is_ours) AS sweep
        JOIN (VALUES ('security'), ('bulk')) AS q (queue) ON is_ours
        WHERE EXISTS (SELECT FROM deliveries AS d
                      WHERE d.queue = q.queue AND state = 'pending' AND next_attempt_at <= now())
            OR EXISTS (SELECT FROM deliveries AS d
                       WHERE d.queue = q.queue AND state = 'sending' AND claimed_at < now() - $2::interval)

-- deliveries.py: prune
DELETE FROM deliveries WHERE id IN (
            SELECT id FROM deliveries
            WHERE created_at < now() - make_interval(days => $1) AND state IN ('sent', 'failed', 'dropped')
            ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
        )

-- delivery_status.py: counts
SELECT queue, state, count(*) AS count, extract(epoch FROM now() - min(created_at))::float8 AS oldest_s
        FROM deliveries GROUP BY queue, state
        UNION ALL
        SELECT 'events', 'undispatched', count(*), extract(epoch FROM now() - min(occurred_at))::float8
        FROM events WHERE dispatched_at IS NULL AND failure IS NULL HAVING count(*) > 0
        UNION ALL
        SELECT 'events', 'set aside', count(*), extract(epoch FROM now() - min(occurred_at))::float8
        FROM events WHERE failure IS NOT NULL HAVING count(*) > 0
        ORDER BY queue DESC, state

-- delivery_status.py: set_aside
SELECT id, type, occurred_at, failure FROM events WHERE failure IS NOT NULL ORDER BY id DESC LIMIT $1

-- delivery_status.py: failed
SELECT id, email, message, attempts, created_at, last_error FROM deliveries
        WHERE state = 'failed' ORDER BY id DESC LIMIT $1

-- delivery_status.py: retry
UPDATE deliveries SET state = 'pending', next_attempt_at = now(), created_at = now(), attempts = 0
        WHERE state = 'failed' AND ($1::bigint[] IS NULL OR id = ANY ($1))

-- delivery_status.py: retry_events
UPDATE events SET failure = NULL, attempts = 0, hand_overs = 0, handed_at = NULL WHERE failure IS NOT NULL

-- enrollment.py: begin
INSERT INTO enrollments (user_id, secret_sealed, secret_key_id, expires_at)
        VALUES ($1, $2, $3, now() + $4::interval)
        ON CONFLICT (user_id) DO UPDATE SET secret_sealed = excluded.secret_sealed,
            secret_key_id = excluded.secret_key_id, created_at = now(), expires_at = excluded.expires_at
        RETURNING expires_at

-- enrollment.py: load
SELECT clock_timestamp() AS now, secret_sealed, secret_key_id FROM enrollments
        WHERE user_id = $1 AND expires_at > clock_timestamp()

-- enrollment.py: finish
DELETE FROM enrollments WHERE user_id = $1 AND expires_at > clock_timestamp()
        RETURNING secret_sealed, secret_key_id

-- enrollment.py: drop
DELETE FROM enrollments WHERE user_id = $1

-- events.py: dispatch_quiet
UPDATE events SET dispatched_at = now() WHERE id IN (
            SELECT id FROM events
            WHERE dispatched_at IS NULL AND failure IS NULL AND type = ANY ($1)
            ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
        )

-- events.py: claim_for_hand_over
UPDATE events SET handed_at = now(), hand_overs = least(hand_overs + 1, 100) WHERE id IN (
            SELECT id FROM events
            WHERE dispatched_at IS NULL AND failure IS NULL AND (type = ANY ($1)) = $2
                AND (handed_at IS NULL
                     OR handed_at < now() - make_interval(secs => least($4 * 2 ^ (hand_overs - 1), $5)))
            ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED
        )
        RETURNING id

-- events.py: take_back
UPDATE events SET handed_at = NULL, hand_overs = greatest(hand_overs - 1, 0)
        WHERE id = ANY ($1) AND dispatched_at IS NULL

-- events.py: begin
UPDATE events SET attempts = attempts + 1, handed_at = now(),
            failure = CASE WHEN attempts >= $2 THEN 'No worker has got through it in ' || $2 || ' attempts.' END
        WHERE id = $1 AND dispatched_at IS NULL AND failure IS NULL
        RETURNING attempts

-- events.py: give_back
UPDATE events SET attempts = greatest(attempts - 1, 0) WHERE id = ANY ($1)

-- events.py: lock_undispatched
SELECT events.id, accounts.name AS account_name, occurred_at, fanned_out_to,
            type, account_id, subject_id, actor_id, data, service_key, request_id
        FROM events LEFT JOIN accounts ON accounts.id = events.account_id
        WHERE events.id = $1 AND dispatched_at IS NULL AND failure IS NULL
        FOR NO KEY UPDATE OF events SKIP LOCKED

-- events.py: deliver_to_person
WITH planned AS (
            INSERT INTO deliveries
                (event_id, user_id, email, message, queue, resends, required_since, deadline, expires_at, holds_while)
            SELECT $1, id, coalesce($11, email), $3, $4, $5, $6, $7, $8, $9 FROM users WHERE id = $2
            ON CONFLICT (event_id, user_id, message) DO NOTHING
        ), shown AS (
            INSERT INTO account_events (account_id, event_id)
            SELECT account_id, $1 FROM staff WHERE $10 AND user_id = $2 AND invited_at IS NULL
            ON CONFLICT DO NOTHING
        )
        UPDATE events SET dispatched_at = now() WHERE id = $1

-- events.py: deliver_to_owners
WITH planned AS (
            INSERT INTO deliveries
                (event_id, user_id, email, message, queue, resends, required_since, deadline, expires_at, holds_while)
            SELECT $1, user_id, email, $3, $4, $5, $6, $7, $8, $9 FROM staff
            WHERE account_id = $2 AND role = 'OWNER' AND invited_at IS NULL
            ON CONFLICT (event_id, user_id, message) DO NOTHING
        )
        UPDATE events SET dispatched_at = now() WHERE id = $1

-- events.py: deliver_to_staff
WITH chunk AS (
            SELECT user_id, email,
                invited_at IS NULL AND mfa_deadline(accounts, staff) = grace_deadline AS is_by_policy
            FROM staff JOIN accounts ON accounts.id = account_id
            WHERE account_id = $2 AND user_id > $10
            ORDER BY user_id LIMIT $11
        ), planned AS (
            INSERT INTO deliveries
                (event_id, user_id, email, message, queue, resends, required_since, deadline, expires_at, holds_while)
            SELECT $1, user_id, email, $3, $4, $5, $6, $7, $8, $9 FROM chunk
            -- whoever has a deadline of their own is told of that one
            WHERE is_by_policy AND NOT EXISTS (SELECT FROM factors WHERE factors.user_id = chunk.user_id)
            ON CONFLICT (event_id, user_id, message) DO NOTHING
        ), reached AS (
            SELECT count(*) AS n, (SELECT user_id FROM chunk ORDER BY user_id DESC LIMIT 1) AS user_id FROM chunk
        )
        UPDATE events SET attempts = 0, hand_overs = 0, handed_at = now(),
            fanned_out_to = coalesce(reached.user_id, fanned_out_to),
            dispatched_at = CASE WHEN reached.n < $11 THEN now() END
        FROM reached WHERE id = $1
        RETURNING dispatched_at IS NOT NULL

-- events.py: mark_dispatched
UPDATE events SET dispatched_at = now() WHERE id = $1

-- events.py: set_aside
UPDATE events SET failure = $2 WHERE id = $1 AND dispatched_at IS NULL

-- evidence.py: account_name
SELECT name FROM accounts WHERE id = $1

-- evidence.py: members
SELECT email, role, joined_at, (SELECT min(valid_from) FROM factor_history
            WHERE factor_history.user_id = member_history.user_id AND valid_from <= $2
                AND (valid_to IS NULL OR valid_to > $2)) AS enrolled_at
        FROM member_history
        WHERE account_id = $1 AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)
        ORDER BY email

-- evidence.py: policies
SELECT required_since, grace_days, grace_deadline, joiner_days, required_of, valid_from, valid_to
        FROM policy_history
        WHERE account_id = $1 AND valid_from < $3 AND (valid_to IS NULL OR valid_to > $2)
            AND valid_from IS DISTINCT FROM valid_to
        ORDER BY valid_from

-- evidence.py: exceptions
SELECT users.email, kind, is_break_glass, reason, authors.email AS author_email,
            mfa_exceptions.created_at, until, ended_at
        FROM mfa_exceptions
        JOIN users ON users.id = user_id
        LEFT JOIN users AS authors ON authors.id = author_id
        WHERE account_id = $1 AND mfa_exceptions.created_at < $3 AND least(until, ended_at) > $2
        ORDER BY mfa_exceptions.created_at, mfa_exceptions.id

-- exceptions.py: lock_members
SELECT staff.id AS staff_id, user_id, role, mfa_deadline(accounts, staff) AS deadline, now() AS now
        FROM staff JOIN accounts ON accounts.id = account_id
        WHERE account_id = $1 AND staff.id = ANY ($2)
        ORDER BY staff.id FOR NO KEY UPDATE OF staff

-- exceptions.py: give
UPDATE mfa_exceptions SET ended_at = now(), ended_by = $3
        WHERE account_id = $1 AND user_id = ANY ($2) AND ended_at IS NULL

-- exceptions.py: give
WITH given AS (
            INSERT INTO mfa_exceptions (account_id, user_id, kind, is_break_glass, until, reason, author_id)
            SELECT $1, unnest($2::uuid[]), $3, $7, $4, $5, $6
            RETURNING id, user_id
        ), held AS (
            UPDATE staff SET excepted_until = $4, is_exempt = $3 = 'EXEMPTED'
            FROM given WHERE staff.account_id = $1 AND staff.user_id = given.user_id
        )
        SELECT id FROM given

-- exceptions.py: end
WITH over AS (
            UPDATE mfa_exceptions SET ended_at = now(), ended_by = $3
            WHERE account_id = $1 AND id = $2 AND ended_at IS NULL AND until > now()
            RETURNING user_id
        )
        UPDATE staff SET excepted_until = NULL, is_exempt = false
        FROM over WHERE staff.account_id = $1 AND staff.user_id = over.user_id
        RETURNING staff.user_id

-- exceptions.py: listed
SELECT mfa_exceptions.id, staff.id AS staff_id, mfa_exceptions.user_id, users.email, kind, is_break_glass,
            until, reason, authors.email AS author_email, mfa_exceptions.created_at, ended_at
        FROM mfa_exceptions
        JOIN users ON users.id = mfa_exceptions.user_id
        LEFT JOIN users AS authors ON authors.id = author_id
        LEFT JOIN staff ON staff.account_id = mfa_exceptions.account_id AND staff.user_id = mfa_exceptions.user_id
        WHERE mfa_exceptions.account_id = $1
            AND ($2::uuid[] IS NULL OR mfa_exceptions.id = ANY ($2))
            AND ($3 OR (ended_at IS NULL AND until > now()))
        ORDER BY mfa_exceptions.created_at DESC, mfa_exceptions.id
        LIMIT $4

-- exceptions.py: break_glass
SELECT account_id, email FROM mfa_exceptions JOIN users ON users.id = user_id
        WHERE user_id = $1 AND is_break_glass AND ended_at IS NULL AND until > now()

-- external_ids.py: find
SELECT id, email,
            is_super_admin
            OR EXISTS (SELECT FROM staff WHERE user_id = users.id AND account_id <> $1)
            OR EXISTS (SELECT FROM portal_users WHERE user_id = users.id AND account_id <> $1) AS is_shared,
            EXISTS (SELECT FROM staff WHERE user_id = users.id AND account_id = $1 AND invited_at IS NULL)
            OR EXISTS (SELECT FROM portal_users WHERE user_id = users.id AND account_id = $1) AS is_member
        FROM users
        WHERE CASE
            WHEN $2::text IS NOT NULL THEN id = (
                SELECT user_id FROM external_ids WHERE account_id IS NOT DISTINCT FROM $1 AND external_id = $2)
            WHEN $3::uuid IS NOT NULL THEN id = $3
            ELSE email = $4
        END

-- external_ids.py: of
SELECT external_id FROM external_ids WHERE account_id IS NOT DISTINCT FROM $1 AND user_id = $2

-- external_ids.py: bind
INSERT INTO external_ids (account_id, external_id, user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING

-- factors.py: load
SELECT clock_timestamp() AS now, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id
        FROM factors WHERE user_id = $1

-- factors.py: exists
SELECT true FROM factors WHERE user_id = $1

-- factors.py: enable
WITH enabled AS (
                INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id)
                VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (user_id) DO NOTHING
                RETURNING user_id
            )
            UPDATE users SET reenrollment_required_at = NULL FROM enabled WHERE users.id = enabled.user_id
            RETURNING true

-- factors.py: bring
INSERT INTO factors (user_id, secret_sealed, secret_key_id, last_step, backup_salt, backup_key_id)
        SELECT user_id, sealed, key_id, 0, salt, key_id
        FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::bytea[]) AS brought (user_id, sealed, key_id, salt)

-- factors.py: spend_step
UPDATE factors SET last_step = $2 WHERE user_id = $1 AND last_step < $2

-- factors.py: replace_secret
UPDATE factors SET secret_sealed = $2, secret_key_id = $3, last_step = $4 WHERE user_id = $1

-- factors.py: remove
DELETE FROM factors WHERE user_id = $1

-- feed.py: now
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint

-- feed.py: read
SELECT id, transaction_id::text::bigint AS transaction_id, type, subject_id,
            ARRAY(SELECT account_id FROM account_events WHERE event_id = events.id)
            || ARRAY(SELECT account_id FROM staff WHERE user_id = subject_id) AS account_ids
        FROM events
        WHERE (transaction_id, id) > ($1::text::xid8, $2::bigint)
            AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY transaction_id, id
        LIMIT $3

-- feed.py: standings
SELECT sessions.id IS NOT NULL AS is_live,
            watcher.account_id IS NULL
                OR coalesce(users.is_super_admin OR staff.role IN ('OWNER', 'ADMIN'), false) AS may_view,
            watcher.account_id IS NOT NULL AND factors.user_id IS NULL AND (
                users.reenrollment_required_at IS NOT NULL
                OR coalesce(staff.id IS NOT NULL AND mfa_deadline(accounts, staff) <= now(), false)
                OR users.is_super_admin AND coalesce(staff.role NOT IN ('OWNER', 'ADMIN'), true)
            ) AS is_blocked
        FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS watcher (session_id, account_id, number)
        LEFT JOIN sessions ON sessions.id = watcher.session_id
            AND sessions.expires_at > now() AND sessions.last_used_at > now() - $3::interval
        LEFT JOIN users ON users.id = sessions.user_id
        LEFT JOIN factors ON factors.user_id = users.id
        LEFT JOIN staff ON staff.account_id = watcher.account_id AND staff.user_id = users.id AND invited_at IS NULL
        LEFT JOIN accounts ON accounts.id = watcher.account_id
        ORDER BY watcher.number

-- figures.py: line
SELECT
            coalesce((SELECT extract(epoch FROM now() - min(occurred_at))::float8 FROM events
                WHERE dispatched_at IS NULL AND failure IS NULL), 0) AS oldest_event_s,
            coalesce((SELECT extract(epoch FROM now() - min(next_attempt_at))::float8 FROM deliveries
                WHERE state = 'pending' AND next_attempt_at <= now()), 0) AS oldest_due_s,
            (SELECT count(*) FROM events WHERE failure IS NOT NULL) AS set_aside

-- figures.py: staff_states
SELECT enrolled, total - enrolled - blocked AS pending, blocked
        FROM (
            SELECT count(*) AS total, count(factors.user_id) AS enrolled,
                count(*) FILTER (WHERE factors.user_id IS NULL
                    AND (reset.id IS NOT NULL OR accounts.grace_deadline <= now())) AS blocked
            FROM staff
            JOIN accounts ON accounts.id = staff.account_id
            LEFT JOIN users AS reset ON reset.id = staff.user_id AND reset.reenrollment_required_at IS NOT NULL
            LEFT JOIN factors ON factors.user_id = staff.user_id
        ) AS counted

-- figures.py: deliveries
SELECT queue, state, count(*) AS count FROM deliveries GROUP BY queue, state

-- housekeeping.py: prune
DELETE FROM sessions WHERE expires_at < now() OR last_used_at < now() - $1::interval

-- housekeeping.py: prune
DELETE FROM challenges WHERE expires_at < now()

-- housekeeping.py: prune
DELETE FROM enrollments WHERE expires_at < now()

-- housekeeping.py: prune
DELETE FROM links WHERE expires_at < now()

-- housekeeping.py: prune
DELETE FROM service_answers WHERE created_at < now() - $1::interval

-- housekeeping.py: prune
DELETE FROM throttles WHERE updated_at < now() - $1::interval

-- housekeeping.py: prune_events
DELETE FROM events WHERE (SELECT set_config('gatehouse.pruning', 'on', true)) = 'on' AND id IN (
            SELECT id FROM (SELECT id, occurred_at, dispatched_at FROM events ORDER BY id LIMIT $2) AS oldest
            WHERE occurred_at < now() - make_interval(days => $1) AND dispatched_at IS NOT NULL
                AND NOT EXISTS (SELECT FROM deliveries WHERE event_id = oldest.id)
        )

-- invitations.py: add_person
INSERT INTO users (email) VALUES ($1) ON CONFLICT (email) DO NOTHING

-- invitations.py: standing
SELECT now(), id AS staff_id, user_id, role, invited_at FROM staff
        WHERE account_id = $1 AND user_id = $2 FOR NO KEY UPDATE

-- invitations.py: standing_of
SELECT now(), id AS staff_id, user_id, role, invited_at FROM staff WHERE account_id = $1 AND id = $2

-- invitations.py: open_invitation
INSERT INTO staff (account_id, user_id, email, role, invited_at)
            SELECT $1, id, email, $3, now() FROM users WHERE id = $2
            ON CONFLICT (account_id, user_id) DO UPDATE SET role = excluded.role, invited_at = excluded.invited_at
            WHERE staff.invited_at IS NOT NULL
            RETURNING true

-- invitations.py: revoke
DELETE FROM staff WHERE id = $1 AND invited_at IS NOT NULL

-- invitations.py: accept
UPDATE staff SET invited_at = NULL, created_at = now()
        WHERE id = $1 AND invited_at = $2 RETURNING account_id, role

-- keys.py: usage
SELECT key_id, count(*) FILTER (WHERE kind = 'factor') AS factors,
            count(*) FILTER (WHERE kind = 'enrollment') AS enrollments,
            count(*) FILTER (WHERE kind = 'backup codes') AS backup_code_sets,
            count(*) FILTER (WHERE kind = 'webhook') AS webhooks
        FROM (
            SELECT 'factor' AS kind, secret_key_id AS key_id FROM factors
            UNION ALL SELECT 'backup codes', backup_key_id FROM factors
            UNION ALL SELECT 'webhook', secret_key_id FROM webhooks
            UNION ALL SELECT 'webhook', previous_key_id FROM webhooks WHERE previous_until > clock_timestamp()
            UNION ALL SELECT 'enrollment', secret_key_id FROM enrollments WHERE expires_at > clock_timestamp()
        ) AS uses
        GROUP BY key_id ORDER BY key_id

-- keys.py: samples
SELECT factor.user_id, factor.secret_sealed, factor.secret_key_id
        FROM unnest($1::text[]) AS asked (key_id),
            LATERAL (SELECT user_id, secret_sealed, secret_key_id FROM factors
                     WHERE secret_key_id = asked.key_id LIMIT 1) AS factor

-- keys.py: older_secrets
SELECT user_id, secret_sealed, secret_key_id
        FROM (
            SELECT user_id, secret_sealed, secret_key_id FROM factors
            UNION ALL
            SELECT user_id, secret_sealed, secret_key_id FROM enrollments WHERE expires_at > clock_timestamp()
        ) AS secrets
        WHERE secret_key_id <> $1 AND user_id > $2
        ORDER BY user_id FETCH FIRST ($3::bigint) ROWS WITH TIES

-- keys.py: replace_secrets
WITH given AS (
            SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS given (user_id, old, new)
        ), in_factors AS (
            UPDATE factors SET secret_sealed = given.new, secret_key_id = $4 FROM given
            WHERE factors.user_id = given.user_id AND factors.secret_sealed = given.old
            RETURNING 1
        ), in_enrollments AS (
            UPDATE enrollments SET secret_sealed = given.new, secret_key_id = $4 FROM given
            WHERE enrollments.user_id = given.user_id AND enrollments.secret_sealed = given.old
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM in_factors) + (SELECT count(*) FROM in_enrollments)

-- keys.py: older_webhook_secrets
SELECT id, secret_sealed, secret_key_id FROM webhooks WHERE secret_key_id <> $1 ORDER BY id FOR NO KEY UPDATE

-- keys.py: replace_webhook_secret
UPDATE webhooks SET secret_sealed = $2, secret_key_id = $3 WHERE id = $1

-- ledger.py: read
SELECT number, to_jsonb(migrations) ->> 'kind' AS kind FROM migrations

-- links.py: mint
INSERT INTO links (token_hash, purpose, user_id, event_id, staff_id, made_at, expires_at)
            SELECT $3, $2, users.id, event_id, invited.id, occurred_at, occurred_at + $4
            FROM deliveries
            JOIN events ON events.id = event_id
            JOIN users ON users.id = deliveries.user_id
            LEFT JOIN staff AS invited ON $2 = 'INVITATION' AND invited.account_id = events.account_id
                AND invited.user_id = users.id AND invited_at = occurred_at
            WHERE deliveries.id = $1 AND occurred_at + $4 > now()
                AND NOT EXISTS (SELECT FROM links AS used
                    WHERE used.event_id = events.id AND used.user_id = users.id AND used_at IS NOT NULL)
                AND ($2 <> 'INVITATION' OR invited.id IS NOT NULL)
                AND ($2 <> 'PASSWORD_RESET' OR coalesce(password_set_at < occurred_at, true))
            RETURNING true

-- links.py: find
SELECT purpose, user_id, event_id, staff_id, made_at FROM links
        WHERE token_hash = $1 AND purpose = ANY ($2) AND used_at IS NULL AND expires_at > now()

-- links.py: use
WITH used AS (
            UPDATE links SET used_at = now()
            WHERE event_id = $1 AND user_id = $2 AND purpose = $3 AND used_at IS NULL AND expires_at > now()
            RETURNING 1
        )
        SELECT count(*) FROM used

-- links.py: void
UPDATE links SET used_at = now()
        WHERE user_id = $1 AND ($2::text IS NULL OR purpose = $2) AND used_at IS NULL

-- memberships.py: join
INSERT INTO staff (account_id, user_id, email, role) SELECT $1, id, email, $3 FROM users WHERE id = $2
        ON CONFLICT (account_id, user_id) DO UPDATE
        SET role = excluded.role, invited_at = NULL, created_at = now() WHERE staff.invited_at IS NOT NULL
        RETURNING true

-- memberships.py: change_role
UPDATE staff SET role = $3
        WHERE account_id = $1 AND email = $2 AND role <> $3
            AND (role <> 'OWNER' OR EXISTS (SELECT FROM staff AS other
                WHERE other.account_id = $1 AND other.role = 'OWNER' AND other.invited_at IS NULL
                    AND other.email <> $2))
        RETURNING user_id

-- memberships.py: remove
DELETE FROM staff
        WHERE account_id = $1 AND email = $2
            AND (role <> 'OWNER' OR EXISTS (SELECT FROM staff AS other
                WHERE other.account_id = $1 AND other.role = 'OWNER' AND other.invited_at IS NULL
                    AND other.email <> $2))
        RETURNING user_id

-- memberships.py: role_of
SELECT role FROM staff WHERE account_id = $1 AND email = $2

-- memberships.py: add_many
WITH given AS (
            SELECT * FROM unnest($2::text[], $3::text[], $4::text[]) AS given (email, role, password_hash)
        ), people AS (
            INSERT INTO users (email, password_hash) SELECT email, password_hash FROM given ORDER BY email
            ON CONFLICT (email) DO UPDATE
            SET password_hash = coalesce(users.password_hash, excluded.password_hash)
            -- a row that was there is another version now
            RETURNING id, email, password_hash, xmax = 0 AS is_new
        ), joined AS (
            INSERT INTO staff (account_id, user_id, email, role, invited_at)
            SELECT $1, people.id, email, given.role,
                CASE WHEN $5 AND people.password_hash IS NULL THEN now() END
            FROM people JOIN given USING (email)
            ON CONFLICT (account_id, user_id) DO NOTHING
            RETURNING user_id, email, role, invited_at IS NOT NULL AS is_invited
        )
        SELECT user_id, email, role, is_new, is_invited FROM joined JOIN people USING (email)

-- memberships.py: set_super_admin
UPDATE users SET is_super_admin = $2 WHERE email = $1 AND is_super_admin <> $2 RETURNING id

-- memberships.py: user_id_of
SELECT id FROM users WHERE email = $1

-- operators.py: is_known
SELECT EXISTS (SELECT FROM users WHERE email = $1)

-- operators.py: keep_person
SELECT id FROM users WHERE email = $1 FOR KEY SHARE

-- operators.py: add_person
INSERT INTO users (email, password_hash) VALUES ($1, $2)
        ON CONFLICT (email) DO UPDATE SET email = users.email
        RETURNING id

-- operators.py: add_account
INSERT INTO accounts (name) VALUES ($1) RETURNING id

-- operators.py: keep_account
SELECT true FROM accounts WHERE id = $1 FOR KEY SHARE

-- operators.py: add_staff
INSERT INTO staff (account_id, user_id, email, role) SELECT $1, id, email, $3 FROM users WHERE id = $2
        ON CONFLICT (account_id, user_id) DO NOTHING
        RETURNING id

-- operators.py: staff_of
SELECT id::text AS staff_id, email, role FROM staff WHERE account_id = $1 AND user_id = $2

-- operators.py: add_portal_user
INSERT INTO portal_users (account_id, user_id) VALUES ($1, $2)
            ON CONFLICT (account_id, user_id) DO NOTHING
            RETURNING true

-- operators.py: grant_super_admin
UPDATE users SET is_super_admin = true WHERE id = $1 AND NOT is_super_admin RETURNING true

-- operators.py: claim_empty
SELECT pg_advisory_xact_lock($1)

-- operators.py: claim_empty
SELECT NOT EXISTS (SELECT FROM users) AND NOT EXISTS (SELECT FROM accounts)

-- outbox.py: append_all
WITH given AS (
            SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::jsonb[], $6::text[])
                WITH ORDINALITY AS given (type, account_id, subject_id, actor_id, data, service_key, number)
        ), appended AS (
            INSERT INTO events (type, account_id, subject_id, actor_id, data, service_key, request_id)
            SELECT type, account_id, subject_id, actor_id, data, service_key, $8 FROM given ORDER BY number
            RETURNING id, type, account_id, subject_id
        )
        INSERT INTO account_events (account_id, event_id)
        SELECT account_id, id FROM appended WHERE account_id IS NOT NULL
        UNION
        SELECT staff.account_id, appended.id
        FROM appended JOIN staff ON staff.user_id = appended.subject_id AND invited_at IS NULL
        WHERE appended.type = ANY ($9) OR appended.account_id IS NULL AND appended.type <> ALL ($7)

-- own_reminders.py: near
WITH candidates AS (
            SELECT id FROM staff WHERE excepted_until BETWEEN now() - $1::interval AND now() + $2::interval
            UNION
            SELECT staff.id FROM accounts JOIN staff ON staff.account_id = accounts.id
                AND staff.created_at > now() - make_interval(hours => 24 * joiner_days) - $1::interval
                AND staff.created_at > required_since
            WHERE joiner_days > 0 AND required_since IS NOT NULL
        )
        SELECT account_id, user_id, required_since, mfa_deadline(accounts, staff) AS deadline,
            coalesce((SELECT created_at FROM mfa_exceptions WHERE mfa_exceptions.account_id = staff.account_id
                AND mfa_exceptions.user_id = staff.user_id AND ended_at IS NULL), staff.created_at) AS announced_at,
            now() AS now
        FROM candidates JOIN staff USING (id) JOIN accounts ON accounts.id = account_id
        WHERE mfa_deadline(accounts, staff) BETWEEN now() - $1::interval AND now() + $2::interval
            AND mfa_deadline(accounts, staff) <> grace_deadline
            AND NOT EXISTS (SELECT FROM factors WHERE factors.user_id = staff.user_id)
        ORDER BY account_id, user_id

-- own_reminders.py: claim
INSERT INTO own_reminders (account_id, user_id, deadline, threshold_days)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::int[]) AS due (account_id, user_id)
        ORDER BY account_id, user_id
        ON CONFLICT DO NOTHING
        RETURNING account_id, user_id

-- policy.py: lock
SELECT id AS account_id, name AS account_name, required_since, grace_days, grace_deadline, policy_updated_at,
            joiner_days, required_of
        FROM accounts WHERE id = $1 FOR NO KEY UPDATE

-- policy.py: save
WITH wanted AS (
            SELECT CASE WHEN $2::smallint IS NOT NULL THEN coalesce(required_since, now()) END AS since
            FROM accounts WHERE id = $1
        )
        UPDATE accounts SET required_since = since, grace_days = $2,
            grace_deadline = since + make_interval(hours => 24 * $2),
            announced_at = CASE WHEN since IS NOT NULL THEN now() END,
            grace_ended_at = CASE WHEN since + make_interval(hours => 24 * $2) <= now() THEN grace_ended_at END,
            joiner_days = coalesce($3, joiner_days), required_of = coalesce($4, required_of),
            policy_updated_at = now()
        FROM wanted WHERE id = $1
        RETURNING id AS account_id, name AS account_name, required_since, grace_days, grace_deadline,
            policy_updated_at, joiner_days, required_of

-- policy.py: impact
WITH saved AS (
            SELECT since, since + make_interval(hours => 24 * $2::int) AS deadline, joiner_days, required_of
            FROM (SELECT coalesce(required_since, now()) AS since, coalesce($3, joiner_days) AS joiner_days,
                    coalesce($4, required_of) AS required_of
                FROM accounts WHERE id = $1) AS account
        ), members AS (
            SELECT factors.user_id IS NOT NULL AS is_enrolled, mfa_deadline(
                    CASE WHEN saved.deadline IS NOT NULL THEN since END, saved.deadline, joiner_days, required_of,
                    role, created_at, excepted_until
                ) AS deadline
            FROM saved, staff LEFT JOIN factors ON factors.user_id = staff.user_id AND invited_at IS NULL
            WHERE account_id = $1
        )
        SELECT count(*) AS staff_count,
            count(*) FILTER (WHERE is_enrolled) AS enrolled_count,
            count(*) FILTER (WHERE NOT is_enrolled AND deadline IS NOT NULL) AS affected_count,
            count(*) FILTER (WHERE NOT is_enrolled AND deadline <= now()) AS blocked_now_count,
            (SELECT deadline FROM saved) AS grace_deadline
        FROM members

-- policy.py: progress
SELECT staff_count, enrolled_count, staff_count - enrolled_count - blocked_count AS pending_count, blocked_count
        FROM (
            SELECT count(*) AS staff_count, count(factors.user_id) AS enrolled_count,
                count(*) FILTER (WHERE factors.user_id IS NULL
                    AND (reset.id IS NOT NULL OR mfa_deadline(accounts, staff) <= now())
                ) AS blocked_count
            FROM staff
            JOIN accounts ON accounts.id = staff.account_id
            LEFT JOIN users AS reset ON reset.id = staff.user_id AND invited_at IS NULL
                AND reset.reenrollment_required_at IS NOT NULL
            LEFT JOIN factors ON factors.user_id = staff.user_id AND invited_at IS NULL
            WHERE staff.account_id = $1
        ) AS counted

-- policy.py: just_ended
SELECT id FROM accounts
        WHERE id = ANY ($1) AND (
            grace_deadline BETWEEN now() - $2::interval AND now()
            OR EXISTS (SELECT FROM staff WHERE account_id = accounts.id
                AND excepted_until BETWEEN now() - $2::interval AND now())
            OR joiner_days > 0 AND EXISTS (SELECT FROM staff WHERE account_id = accounts.id
                AND created_at BETWEEN now() - make_interval(hours => 24 * joiner_days) - $2::interval
                    AND now() - make_interval(hours => 24 * joiner_days))
        )

-- pool.py: _reset
ROLLBACK

-- reminders.py: running
SELECT id AS account_id, required_since, grace_deadline AS deadline, announced_at, now() AS now
        FROM accounts
        WHERE required_since IS NOT NULL
            AND grace_deadline > now() AND grace_deadline <= now() + make_interval(hours => 24 * $1)

-- reminders.py: claim
INSERT INTO reminders (account_id, required_since, grace_deadline, threshold_days)
        SELECT account_id, due.required_since, deadline, threshold_days
        FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::int[])
            AS due (account_id, required_since, deadline, threshold_days)
        JOIN accounts ON accounts.id = account_id
            AND accounts.required_since = due.required_since AND accounts.grace_deadline = due.deadline
        ORDER BY account_id
        ON CONFLICT DO NOTHING
        RETURNING account_id

-- reminders.py: end_grace_periods
WITH over AS (
            UPDATE accounts SET grace_ended_at = now() WHERE id IN (
                SELECT id FROM accounts
                WHERE required_since IS NOT NULL AND grace_deadline <= now() AND grace_ended_at IS NULL
                ORDER BY id LIMIT $1 FOR NO KEY UPDATE
            )
            RETURNING id AS account_id, required_since, grace_deadline, announced_at
        ), first AS (
            INSERT INTO reminders (account_id, required_since, grace_deadline, threshold_days)
            SELECT account_id, required_since, grace_deadline, 0 FROM over ORDER BY account_id
            ON CONFLICT DO NOTHING
            RETURNING account_id
        )
        SELECT account_id, required_since, grace_deadline AS deadline,
            grace_deadline <= announced_at OR account_id NOT IN (SELECT account_id FROM first) AS announced
        FROM over

-- service_keys.py: create
INSERT INTO service_keys (name, token_hash, rights, account_id, expires_at)
        VALUES ($1, $2, $3, $4, now() + make_interval(days => $5))
        RETURNING id

-- service_keys.py: find
WITH found AS (
            SELECT id, name, rights, account_id, last_used_at FROM service_keys
            WHERE token_hash = $1 AND (expires_at IS NULL OR expires_at > now())
        ), noted AS (
            UPDATE service_keys SET last_used_at = now() FROM found
            WHERE service_keys.id = found.id
                AND (found.last_used_at IS NULL OR found.last_used_at < now() - $2::interval)
        )
        SELECT id, name, rights, account_id FROM found

-- service_keys.py: hold
SELECT true FROM service_keys WHERE id = $1 FOR KEY SHARE

-- service_keys.py: listed
SELECT id, name, rights, account_id, created_at, last_used_at, expires_at,
            coalesce(expires_at <= now(), false) AS is_expired
        FROM service_keys ORDER BY name, created_at, id

-- service_keys.py: revoke
DELETE FROM service_keys WHERE id = $1 RETURNING name, account_id

-- service_keys.py: claim_answer
INSERT INTO service_answers AS kept (scope, idempotency_key, input_hash) VALUES ($1, $2, $3)
        ON CONFLICT (scope, idempotency_key) DO UPDATE
        SET input_hash = excluded.input_hash, answer = NULL, created_at = now()
        WHERE kept.created_at < now() - $4::interval
        RETURNING true

-- service_keys.py: answer
SELECT answer FROM service_answers WHERE scope = $1 AND idempotency_key = $2 AND input_hash = $3

-- service_keys.py: keep_answer
UPDATE service_answers SET answer = $3 WHERE scope = $1 AND idempotency_key = $2

-- sessions.py: start
INSERT INTO sessions
            (user_id, token_hash, password_at, second_factor_at, user_agent, ip_address, amr, expires_at)
        VALUES ($1, $2, now(), CASE WHEN 'mfa' = ANY ($5) THEN now() END, $3, $4, $5, now() + $6::interval)
        RETURNING expires_at

-- sessions.py: end_oldest
DELETE FROM sessions WHERE id IN (
            SELECT id FROM sessions WHERE user_id = $1 ORDER BY last_used_at DESC, id OFFSET $2
        )

-- sessions.py: is_live
SELECT true FROM sessions WHERE id = $1

-- sessions.py: hold
SELECT true FROM sessions WHERE id = $1 FOR KEY SHARE

-- sessions.py: renew_password
UPDATE sessions SET password_at = now() WHERE id = $1

-- sessions.py: renew_second_factor
UPDATE sessions SET second_factor_at = now() WHERE id = $1

-- sessions.py: replace_token
UPDATE sessions SET token_hash = $2 WHERE id = $1

-- sessions.py: end_of
DELETE FROM sessions WHERE id = $2 AND user_id = $1

-- sessions.py: end_all
DELETE FROM sessions WHERE user_id = $1

-- sessions.py: end_of_outsider
DELETE FROM sessions
        WHERE user_id = $1 AND NOT EXISTS (SELECT FROM staff WHERE user_id = $1 AND invited_at IS NULL)

-- sessions.py: end_others
WITH ended AS (
            DELETE FROM sessions WHERE user_id = $1 AND id <> $2 RETURNING expires_at, last_used_at
        )
        SELECT count(*) FROM ended WHERE expires_at > now() AND last_used_at > now() - $3::interval

-- sessions.py: live
SELECT id, created_at, CASE WHEN id = $2 THEN now() ELSE last_used_at END AS last_used_at, expires_at,
            user_agent, ip_address
        FROM sessions
        WHERE user_id = $1 AND expires_at > now() AND last_used_at > now() - $3::interval
        ORDER BY last_used_at DESC, id

-- staff.py: page
SELECT id, staff.user_id, email, role, enabled_at AS mfa_enabled_at, last_reminded_at, invited_at,
            mfa_deadline, mfa_state(enabled_at IS NOT NULL, reenrollment_required_at IS NOT NULL, mfa_deadline, now()),
            mfa_deadline_reason(account, staff, reenrollment_required_at IS NOT NULL),
            ARRAY(SELECT account_id FROM staff AS other WHERE other.user_id = staff.user_id
                AND account_id <> $1 AND other.invited_at IS NULL) AS elsewhere,
            ARRAY(SELECT account_id FROM staff AS other WHERE other.user_id = staff.user_id
                AND account_id <> $1 AND other.invited_at IS NULL AND other.role = 'OWNER') AS owned_elsewhere
        FROM (
            SELECT found.id, found.mfa_deadline, accounts AS account
            FROM accounts, (VALUES ('OWNER'), ('ADMIN'), ('MEMBER')) AS roles (role),
                LATERAL (
                    SELECT staff.id, staff.email, person.mfa_deadline
                    FROM staff, LATERAL (SELECT mfa_deadline(accounts, staff),
                        invited_at IS NULL AND (SELECT user_id FROM factors
                            WHERE factors.user_id = staff.user_id) IS NOT NULL AS is_enrolled,
                        invited_at IS NULL AND (SELECT id FROM users WHERE users.id = staff.user_id
                            AND reenrollment_required_at IS NOT NULL) IS NOT NULL AS is_reset) AS person
                    WHERE account_id = $1 AND staff.role = roles.role
                        AND (staff.email, staff.id) > ($2, $3::uuid)
                        AND ($7::text IS NULL OR staff.email LIKE $7)
                        AND ($4::bool IS NULL OR is_enrolled = $4)
                        AND ($5::text IS NULL OR mfa_state(is_enrolled, is_reset, person.mfa_deadline, now()) = $5)
                        AND ($8::bool IS NULL OR (invited_at IS NOT NULL) = $8)
                    ORDER BY staff.email, staff.id
                    LIMIT $9
                ) AS found
            WHERE accounts.id = $1 AND ($6::text IS NULL OR roles.role = $6)
            ORDER BY found.email, found.id
            LIMIT $9
        ) AS page
        JOIN staff USING (id)
        -- what else is known of someone invited is nobody's business here before they have come
        LEFT JOIN (SELECT id AS user_id, reenrollment_required_at FROM users) AS users
            ON users.user_id = staff.user_id AND invited_at IS NULL
        LEFT JOIN factors ON factors.user_id = staff.user_id AND invited_at IS NULL
        ORDER BY email, id

-- staff.py: count
SELECT count(*)
        FROM staff JOIN accounts ON accounts.id = staff.account_id,
            LATERAL (SELECT
                invited_at IS NULL
                    AND EXISTS (SELECT FROM factors WHERE factors.user_id = staff.user_id) AS is_enrolled,
                invited_at IS NULL AND EXISTS (SELECT FROM users WHERE users.id = staff.user_id
                    AND reenrollment_required_at IS NOT NULL) AS is_reset) AS person
        WHERE account_id = $1
            AND ($2::bool IS NULL OR is_enrolled = $2)
            AND ($3::text IS NULL OR mfa_state(is_enrolled, is_reset, mfa_deadline(accounts, staff), now()) = $3)
            AND ($4::text IS NULL OR role = $4)
            AND ($5::text IS NULL OR email LIKE $5)
            AND ($6::bool IS NULL OR (invited_at IS NOT NULL) = $6)

-- staff.py: members
SELECT staff.id, staff.user_id, staff.email, role, factors.enabled_at AS mfa_enabled_at, last_reminded_at,
            invited_at,
            mfa_deadline(accounts, staff), mfa_state(factors.user_id IS NOT NULL, reenrollment_required_at IS NOT NULL,
                mfa_deadline(accounts, staff), now()),
            mfa_deadline_reason(accounts, staff, reenrollment_required_at IS NOT NULL),
            ARRAY(SELECT account_id FROM staff AS other WHERE other.user_id = staff.user_id
                AND account_id <> $1 AND other.invited_at IS NULL) AS elsewhere,
            ARRAY(SELECT account_id FROM staff AS other WHERE other.user_id = staff.user_id
                AND account_id <> $1 AND other.invited_at IS NULL AND other.role = 'OWNER') AS owned_elsewhere
        FROM staff
        JOIN accounts ON accounts.id = staff.account_id
        LEFT JOIN users ON users.id = staff.user_id AND invited_at IS NULL
        LEFT JOIN factors ON factors.user_id = staff.user_id AND invited_at IS NULL
        WHERE staff.account_id = $1 AND staff.user_id = ANY ($2)

-- staff.py: hold_manager
SELECT true FROM staff
            WHERE account_id = $1 AND user_id = $2 AND role IN ('OWNER', 'ADMIN') AND invited_at IS NULL FOR SHARE

-- staff.py: is_owner
SELECT true FROM staff WHERE account_id = $1 AND user_id = $2 AND role = 'OWNER'

-- staff.py: user_of
SELECT user_id FROM staff WHERE id = $2 AND account_id = $1 AND invited_at IS NULL

-- staff.py: claim_reminders
UPDATE staff SET reminder_claimed_at = now()
        FROM accounts
        WHERE accounts.id = $1 AND mfa_deadline(accounts, staff) IS NOT NULL AND staff.id IN (
            SELECT id FROM staff AS wanted
            WHERE account_id = $1 AND id = ANY ($3)
                AND EXISTS (SELECT FROM staff AS actor WHERE actor.account_id = $1 AND actor.user_id = $2
                            AND actor.role IN ('OWNER', 'ADMIN') AND actor.invited_at IS NULL)
                AND wanted.invited_at IS NULL
                AND NOT EXISTS (SELECT FROM factors WHERE factors.user_id = wanted.user_id)
                AND (reminder_claimed_at IS NULL OR reminder_claimed_at <= now() - $4::interval)
            ORDER BY id FOR NO KEY UPDATE
        )
        RETURNING staff.user_id, required_since, mfa_deadline(accounts, staff) AS deadline, now() AS now

-- throttles.py: charge
INSERT INTO throttles AS throttle (key, failures) VALUES ($1, ARRAY[now()])
        ON CONFLICT (key) DO UPDATE
        SET failures = (throttle.failures || now())[greatest(1, cardinality(throttle.failures) + 2 - $5):],
            updated_at = now()
        WHERE NOT EXISTS (
            SELECT FROM unnest($2::int[], $3::interval[], $4::bool[]) AS window_(n, span, locks),
                LATERAL (SELECT throttle.failures[cardinality(throttle.failures) - n + 1] AS first,
                                throttle.failures[cardinality(throttle.failures)] AS last) AS ends
            WHERE CASE WHEN locks THEN last - first < span AND last + span > now() ELSE first + span > now() END
        )
        RETURNING now() AS at, (
            SELECT min(n - (SELECT count(*) FROM unnest(throttle.failures) AS f WHERE f > now() - span))
            FROM unnest($2::int[], $3::interval[]) AS window_(n, span)
        ) AS remaining, (SELECT count(*) FROM unnest(throttle.failures) AS f WHERE f > now() - $6::interval) AS count

-- throttles.py: count
INSERT INTO throttles AS throttle (key, failures) VALUES ($1, ARRAY[now()])
        ON CONFLICT (key) DO UPDATE
        SET failures = (throttle.failures || now())[greatest(1, cardinality(throttle.failures) + 2 - $3):],
            updated_at = now()
        RETURNING (SELECT count(*) FROM unnest(throttle.failures) AS f WHERE f > now() - $2::interval)

-- throttles.py: closed_until
SELECT max(CASE WHEN NOT locks THEN first + span WHEN last - first < span THEN last + span END)
        FROM throttles, unnest($2::int[], $3::interval[], $4::bool[]) AS window_(n, span, locks),
            LATERAL (SELECT failures[cardinality(failures) - n + 1] AS first,
                            failures[cardinality(failures)] AS last) AS ends
        WHERE key = $1 AND CASE WHEN locks THEN last + span > now() ELSE first + span > now() END

-- throttles.py: give_back
UPDATE throttles
        SET failures = failures[:array_position(failures, $2) - 1] || failures[array_position(failures, $2) + 1:]
        FROM (
            SELECT key FROM throttles WHERE key = ANY ($1) ORDER BY array_position($1, key) FOR UPDATE
        ) AS held
        WHERE throttles.key = held.key AND array_position(failures, $2) IS NOT NULL

-- throttles.py: record_lock
UPDATE throttles SET locked_until = $2 WHERE key = $1 AND (locked_until IS NULL OR locked_until <= now())

-- throttles.py: is_due
INSERT INTO throttles AS throttle (key, failures, locked_until) VALUES ($1, '{}', now() + $2::interval)
        ON CONFLICT (key) DO UPDATE SET locked_until = excluded.locked_until, updated_at = now()
        WHERE throttle.locked_until <= now()

-- throttles.py: touch
UPDATE throttles SET updated_at = now() WHERE key = $1

-- throttles.py: clear
DELETE FROM throttles WHERE key = $1

-- throttles.py: _now
SELECT now()

-- users.py: credentials
SELECT now(), id, email, password_hash FROM users WHERE email = $1

-- users.py: credentials_of
SELECT now(), id, email, password_hash FROM users WHERE id = $1

-- users.py: lock
SELECT true FROM users WHERE id = $1 FOR NO KEY UPDATE

-- users.py: lock_if_unchanged
SELECT true FROM users WHERE id = $1 AND password_hash = $2 FOR NO KEY UPDATE

-- users.py: lock_all
SELECT FROM users WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE

-- users.py: replace_password_hash
UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2

-- users.py: set_password_hash
UPDATE users SET password_hash = $2, password_set_at = now() WHERE id = $1

-- users.py: replace_email
WITH before AS (
            SELECT id, email FROM users WHERE id = $1 AND email <> $2
        ), changed AS (
            UPDATE users SET email = $2 FROM before WHERE users.id = before.id
        ), redirected AS (
            UPDATE deliveries SET email = $2 FROM before
            WHERE deliveries.user_id = before.id AND deliveries.email = before.email AND state = 'pending'
        )
        SELECT email FROM before

-- users.py: require_reenrollment
UPDATE users SET reenrollment_required_at = now() WHERE id = $1

-- users.py: person_of_session
WITH session AS (
            SELECT id, user_id, password_at, second_factor_at, last_used_at, amr, expires_at FROM sessions
            WHERE token_hash = $1 AND expires_at > now() AND last_used_at > now() - $2::interval
        ), kept_alive AS (
            UPDATE sessions SET last_used_at = now() FROM session
            WHERE sessions.id = session.id AND session.last_used_at < now() - $3::interval
        )
        SELECT now(), session.id AS session_id, session.password_at, session.second_factor_at,
            session.amr, session.expires_at,
            users.id, users.email, users.is_super_admin, users.reenrollment_required_at,
            factors.enabled_at AS mfa_enabled_at,
            (SELECT count(*) FROM backup_codes WHERE backup_codes.user_id = users.id) AS backup_codes_remaining,
            staff.id AS staff_id, staff.role, mfa_deadline(accounts, staff),
            coalesce(staff.is_exempt AND staff.excepted_until > now(), false) AS is_exempt,
            accounts.id AS account_id, accounts.name AS account_name,
            accounts.required_since, accounts.grace_days, accounts.grace_deadline, accounts.policy_updated_at,
            accounts.joiner_days, accounts.required_of
        FROM session
        JOIN users ON users.id = session.user_id
        LEFT JOIN factors ON factors.user_id = users.id
        LEFT JOIN staff ON staff.user_id = users.id AND invited_at IS NULL
        LEFT JOIN accounts ON accounts.id = staff.account_id
        ORDER BY accounts.name, accounts.id

-- webhooks.py: add
INSERT INTO webhooks (id, account_id, url, event_types, secret_sealed, secret_key_id)
        VALUES ($1, $2, $3, $4, $5, $6)
        RETURNING id, account_id, url, event_types, failing_since, disabled_at, created_at

-- webhooks.py: of_account
SELECT id, account_id, url, event_types, failing_since, disabled_at, created_at
        FROM webhooks WHERE account_id IS NOT DISTINCT FROM $1 ORDER BY created_at, id

-- webhooks.py: load
SELECT id, account_id, url, event_types, failing_since, disabled_at, created_at
        FROM webhooks WHERE id = $1

-- webhooks.py: remove
DELETE FROM webhooks WHERE id = $1

-- webhooks.py: rotate
UPDATE webhooks SET previous_sealed = secret_sealed, previous_key_id = secret_key_id,
            previous_until = now() + $4::interval, secret_sealed = $2, secret_key_id = $3
        WHERE id = $1

-- webhooks.py: enable
UPDATE webhooks SET disabled_at = NULL, failing_since = NULL WHERE id = $1 AND disabled_at IS NOT NULL

-- webhooks.py: add_test
INSERT INTO webhook_deliveries (webhook_id) VALUES ($1) RETURNING id

-- webhooks.py: deliveries
SELECT delivery.id, webhook_id, event_id, coalesce(events.type, $5) AS type, state, delivery.attempts,
            created_at, next_attempt_at, attempted_at, duration_ms, status, answer, error
        FROM webhook_deliveries AS delivery
        LEFT JOIN events ON events.id = event_id
        LEFT JOIN LATERAL (
            SELECT attempted_at, duration_ms, status, answer, error FROM webhook_attempts
            WHERE delivery_id = delivery.id ORDER BY attempted_at DESC LIMIT 1
        ) AS latest ON true
        WHERE webhook_id = $1 AND ($2::bigint IS NULL OR delivery.id < $2) AND ($4::bigint IS NULL OR delivery.id = $4)
        ORDER BY delivery.id DESC LIMIT $3

-- webhooks.py: attempts
SELECT attempted_at, duration_ms, status, answer, error FROM webhook_attempts
        WHERE delivery_id = $1 ORDER BY attempted_at DESC LIMIT 100

-- webhooks.py: webhook_of
SELECT webhook_id FROM webhook_deliveries WHERE id = $1

-- webhooks.py: send_again
UPDATE webhook_deliveries SET state = 'pending', attempts = 0, next_attempt_at = now(), tried_since = now()
        WHERE id = $1 AND state IN ('delivered', 'failed')

-- webhooks.py: claim
WITH due AS (
            SELECT next.id FROM webhooks, LATERAL (
                SELECT id FROM webhook_deliveries AS delivery
                WHERE webhook_id = webhooks.id AND state = 'pending' AND next_attempt_at <= now()
                    AND NOT EXISTS (SELECT FROM webhook_deliveries AS earlier
                        WHERE earlier.webhook_id = webhooks.id AND earlier.subject_id = delivery.subject_id
                            AND earlier.id < delivery.id
                            AND (earlier.state = 'sending' OR earlier.state = 'pending' AND earlier.attempts < $3))
                ORDER BY next_attempt_at, id
                LIMIT greatest(0, $2 - (SELECT count(*) FROM webhook_deliveries
                    WHERE webhook_id = webhooks.id AND state = 'sending'))
                FOR NO KEY UPDATE SKIP LOCKED
            ) AS next
            WHERE disabled_at IS NULL
            LIMIT $1
        ), claimed AS (
            UPDATE webhook_deliveries SET state = 'sending', claimed_at = now(), attempts = attempts + 1
            FROM due WHERE webhook_deliveries.id = due.id
            RETURNING webhook_deliveries.*
        )
        SELECT claimed.id, webhook_id, claimed.attempts, tried_since < now() - $4::interval AS is_last, url,
            secret_sealed, secret_key_id, now() AS sent_at,
            CASE WHEN previous_until > now() THEN previous_sealed END AS previous_sealed, previous_key_id,
            event_id, coalesce(occurred_at, claimed.created_at) AS occurred_at,
            actors.email AS actor_email, subjects.email AS subject_email,
            type, events.account_id, events.subject_id, actor_id, data, service_key
        FROM claimed
        JOIN webhooks ON webhooks.id = webhook_id
        LEFT JOIN events ON events.id = event_id
        LEFT JOIN users AS actors ON actors.id = actor_id
        LEFT JOIN users AS subjects ON subjects.id = events.subject_id
        ORDER BY claimed.id

-- webhooks.py: record
WITH noted AS (
            INSERT INTO webhook_attempts (delivery_id, duration_ms, status, answer, error)
            SELECT id, $3, $4, $5, $6 FROM webhook_deliveries WHERE id = $1
        ), endpoint AS (
            UPDATE webhooks SET failing_since = CASE WHEN $6::text IS NOT NULL THEN coalesce(failing_since, now()) END
            WHERE id = $8 AND (failing_since IS NULL) = ($6::text IS NOT NULL)
        )
        UPDATE webhook_deliveries
        SET state = CASE WHEN $6::text IS NULL THEN 'delivered'
                WHEN $7::float8 IS NULL THEN 'failed' ELSE 'pending' END,
            next_attempt_at = now() + make_interval(secs => coalesce($7, 0)), claimed_at = NULL
        WHERE id = $1 AND attempts = $2 AND state = 'sending'

-- webhooks.py: give_back
UPDATE webhook_deliveries SET state = 'pending', claimed_at = NULL, attempts = attempts - 1
        WHERE id = $1 AND attempts = $2 AND state = 'sending'

-- webhooks.py: take_over
UPDATE webhook_deliveries SET state = 'pending', claimed_at = NULL
        WHERE state = 'sending' AND claimed_at < now() - $1::interval

-- webhooks.py: is_due
SELECT EXISTS (SELECT FROM webhooks JOIN webhook_deliveries ON webhook_id = webhooks.id
                WHERE disabled_at IS NULL AND state = 'pending' AND next_attempt_at <= now())

-- webhooks.py: switch_off
WITH off AS (
            UPDATE webhooks SET disabled_at = now()
            WHERE id = $1 AND disabled_at IS NULL AND failing_since < now() - $2::interval
            RETURNING id, account_id, url, event_types, failing_since, disabled_at, created_at
        ), given_up AS (
            UPDATE webhook_deliveries SET state = 'failed', claimed_at = NULL
            FROM off WHERE webhook_id = off.id AND state IN ('pending', 'sending')
        )
        SELECT * FROM off

-- webhooks.py: prune
DELETE FROM webhook_deliveries WHERE id IN (
            SELECT id FROM webhook_deliveries
            WHERE created_at < now() - $1::interval AND state IN ('delivered', 'failed') LIMIT $2
        )

