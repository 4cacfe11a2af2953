-- Keys of integrations and secrets of resources are written as their owner only; for calls the system opens them.
REVOKE UPDATE ON user_openrouter_integrations FROM farebox_system;
REVOKE UPDATE ON vault_secrets FROM farebox_system;

DROP POLICY user_openrouter_integrations_system ON user_openrouter_integrations;
CREATE POLICY user_openrouter_integrations_system ON user_openrouter_integrations FOR SELECT TO farebox_system USING (true);
DROP POLICY vault_secrets_system ON vault_secrets;
CREATE POLICY vault_secrets_system ON vault_secrets FOR SELECT TO farebox_system USING (true);
