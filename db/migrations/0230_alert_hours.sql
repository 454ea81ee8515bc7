-- expand: at most one alert of a kind an hour to a person, of all accounts that they look after together.

CREATE TABLE alert_hours (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    kind text NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (user_id, kind)
);
CREATE INDEX alert_hours_end ON alert_hours (until);
CREATE INDEX gathered_alerts_person ON gathered_alerts (user_id, kind);

INSERT INTO alert_hours (user_id, kind, until) SELECT user_id, kind, max(until) FROM alert_turns GROUP BY user_id, kind;
