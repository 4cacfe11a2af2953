-- Two roles that own nothing, so that row-level security binds both (docs/decisions/0002).
-- farebox_app acts for one signed-in user (farebox.user_id); farebox_system serves protocols and jobs through explicit policies.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'farebox_app') THEN
    CREATE ROLE farebox_app NOLOGIN NOBYPASSRLS;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'farebox_system') THEN
    CREATE ROLE farebox_system NOLOGIN NOBYPASSRLS;
  END IF;
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    EXECUTE format('GRANT farebox_app, farebox_system TO %I', current_user);
  END IF;
END
$$;

GRANT USAGE ON SCHEMA public TO farebox_app, farebox_system;

CREATE FUNCTION app_user_id() RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN nullif(current_setting('farebox.user_id', true), '');
