-- Counters of calls that cost nothing, shared by all processes (rate-limiter-flexible). Keys are hashed: no addresses at rest.
CREATE UNLOGGED TABLE rate_limits (
  key varchar(255) PRIMARY KEY,
  points integer NOT NULL DEFAULT 0,
  expire bigint
);
GRANT SELECT, INSERT, UPDATE, DELETE ON rate_limits TO farebox_system;
