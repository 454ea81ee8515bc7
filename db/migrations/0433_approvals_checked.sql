-- expand: likewise of all accounts whose resets a second one must approve.
ALTER TABLE accounts VALIDATE CONSTRAINT accounts_reset_approval_check;
