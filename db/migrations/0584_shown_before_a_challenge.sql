-- expand: when whoever is challenged showed a provider who they are, as far as it told; null where it was shown here just then.
ALTER TABLE challenges ADD COLUMN shown_at timestamptz;
