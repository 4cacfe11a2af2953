import type { BetterAuthOptions } from 'better-auth';
import { username } from 'better-auth/plugins/username';
import type { Database } from '#database/index.ts';
import { MAX_USERNAME_LENGTH, MIN_USERNAME_LENGTH, newId } from '#kit/index.ts';
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from './auth-routes.ts';
import { isAllowedUsername } from './username.ts';

/** Set by `handler` from the connection; whatever a client sends under this name is dropped. */
export const CLIENT_ADDRESS_HEADER = 'x-farebox-client-address';

export interface AuthSettings {
  database: Database;
  baseUrl: string;
  secret: string;
  trustedOrigins: readonly string[];
  onLog?: (level: string, message: string) => void;
}

const timestamps = { createdAt: 'created_at', updatedAt: 'updated_at' };

/** Column names of migrations/0002_accounts.sql. */
const tables = {
  user: { modelName: 'users', fields: { ...timestamps, emailVerified: 'email_verified' } },
  session: {
    modelName: 'sessions',
    fields: {
      ...timestamps,
      userId: 'owner_id',
      expiresAt: 'expires_at',
      ipAddress: 'ip_address',
      userAgent: 'user_agent',
    },
  },
  account: {
    modelName: 'auth_accounts',
    fields: {
      ...timestamps,
      userId: 'owner_id',
      accountId: 'account_id',
      providerId: 'provider_id',
      accessToken: 'access_token',
      refreshToken: 'refresh_token',
      idToken: 'id_token',
      accessTokenExpiresAt: 'access_token_expires_at',
      refreshTokenExpiresAt: 'refresh_token_expires_at',
    },
  },
  verification: { modelName: 'verifications', fields: { ...timestamps, expiresAt: 'expires_at' } },
} satisfies Partial<BetterAuthOptions>;

const usernames = username({
  displayUsername: false,
  immutableUsername: true,
  minUsernameLength: MIN_USERNAME_LENGTH,
  maxUsernameLength: MAX_USERNAME_LENGTH,
  validationOrder: { username: 'post-normalization' },
  usernameValidator: isAllowedUsername,
});

export function toAuthOptions(settings: AuthSettings) {
  const isSecure = new URL(settings.baseUrl).protocol === 'https:';
  return {
    ...tables,
    appName: 'Farebox',
    baseURL: settings.baseUrl,
    basePath: '/api/auth',
    database: settings.database.system,
    // A list, because better-auth prefers BETTER_AUTH_SECRETS of the environment to a single `secret`.
    secrets: [{ version: 1, value: settings.secret }],
    trustedOrigins: [...settings.trustedOrigins],
    telemetry: { enabled: false },
    emailAndPassword: {
      enabled: true,
      minPasswordLength: MIN_PASSWORD_LENGTH,
      maxPasswordLength: MAX_PASSWORD_LENGTH,
      // A session for a new account alone would tell whether the address was free (docs/decisions/0025).
      autoSignIn: false,
    },
    plugins: [usernames],
    rateLimit: {
      enabled: true,
      storage: 'database' as const,
      modelName: 'auth_rate_limits',
      fields: { lastRequest: 'last_request' },
      window: 60,
      max: 200,
      customRules: {
        '/sign-in/*': { window: 60, max: 20 },
        '/sign-up/*': { window: 60, max: 20 },
        '/change-password': { window: 60, max: 10 },
        '/is-username-available': { window: 60, max: 60 },
      },
    },
    advanced: {
      cookiePrefix: 'farebox',
      useSecureCookies: isSecure,
      defaultCookieAttributes: { httpOnly: true, sameSite: 'lax' as const, secure: isSecure, path: '/' },
      // Stated, because better-auth switches both checks off when NODE_ENV is "test".
      disableOriginCheck: false,
      disableCSRFCheck: false,
      ipAddress: { ipAddressHeaders: [CLIENT_ADDRESS_HEADER] },
      database: { generateId: () => newId() },
    },
    logger: settings.onLog
      ? { level: 'warn' as const, log: (level: string, message: string) => settings.onLog?.(level, message) }
      : { disabled: true },
  } satisfies BetterAuthOptions;
}
