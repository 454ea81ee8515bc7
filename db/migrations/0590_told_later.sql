-- expand: whoever is exempted is told nothing of the policy until that ends.

-- Whether the member is told of their deadline as their exemption ends, since a day or more is left to them then. Whose
-- ends later is told before, as everybody is.
CREATE FUNCTION is_told_later(account accounts, member staff) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(member.is_exempt AND member.excepted_until > now()
        AND member.excepted_until + interval '24 hours' <= mfa_deadline(account, member), false)
$$;
