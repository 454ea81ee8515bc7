-- expand: a recovery pass that an operator has given names no issuer, whose role it would depend on.

ALTER TABLE recovery_passes ALTER COLUMN issuer_id DROP NOT NULL;
