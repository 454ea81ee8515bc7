-- expand: an exemption that ends before the account's own deadline is told as the reason while it holds, since nothing is asked.
CREATE OR REPLACE FUNCTION mfa_deadline_reason(account accounts, member staff, is_reset boolean)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN is_reset THEN 'RESET'
        WHEN mfa_deadline(account, member) IS NULL THEN NULL
        WHEN member.is_exempt AND member.excepted_until > now() THEN 'EXEMPTED'
        WHEN mfa_deadline(account, member) = account.grace_deadline THEN 'POLICY'
        WHEN mfa_deadline(account, member) = member.excepted_until THEN
            CASE WHEN member.is_exempt THEN 'EXEMPTED' ELSE 'EXTENDED' END
        ELSE 'JOINED_LATER'
    END
$$;
