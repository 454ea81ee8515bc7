-- A thousand failures from one address, whatever the email, close it: one office may make many, one guesser is stopped.
ALTER TABLE throttles DROP CONSTRAINT throttles_failures_check;
ALTER TABLE throttles ADD CHECK (cardinality(failures) <= 1000);

-- A deadline that was moved is reminded of anew; going back to an earlier one reminds of nothing twice.
ALTER TABLE reminders ADD COLUMN grace_deadline timestamptz;
UPDATE reminders SET grace_deadline = coalesce(accounts.grace_deadline, reminders.required_since)
FROM accounts WHERE accounts.id = reminders.account_id;
ALTER TABLE reminders DROP CONSTRAINT reminders_pkey;
ALTER TABLE reminders ADD PRIMARY KEY (account_id, required_since, grace_deadline, threshold_days);
