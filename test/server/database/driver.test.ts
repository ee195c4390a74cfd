import { describe, expect, it } from 'vitest';
import { driverError, isDriverError } from '../../../server/database/driver.ts';

const otherNode = Object.assign(
  new Error(
    "The module '/app/better_sqlite3.node'\nwas compiled against a different Node.js version using\nNODE_MODULE_VERSION 115. This version of Node.js requires\nNODE_MODULE_VERSION 137. Please try re-compiling or re-installing\nthe module (for instance, using `npm rebuild` or `npm install`).",
  ),
  { code: 'ERR_DLOPEN_FAILED' },
);

describe('a database driver of another Node', () => {
  it.each([
    otherNode,
    Object.assign(new Error('/app/better_sqlite3.node: invalid ELF header'), { code: 'ERR_DLOPEN_FAILED' }),
    new Error('Could not locate the bindings file. Tried:\n → /app/build/better_sqlite3.node'),
  ])("is recognized by Node's message: $message", (error) => {
    expect(isDriverError(error)).toBe(true);
    const { code, message } = driverError(error);
    expect(code).toBe('DATABASE_DRIVER');
    expect(message).toContain(process.version);
    expect(message).toContain('npx -y pnpm@10 rebuild better-sqlite3');
    expect(message).not.toMatch(/\n|DATA_DIR/);
  });

  it('says which version it was built for', () => {
    const error = Object.assign(new Error('NODE_MODULE_VERSION 1.'), { code: 'ERR_DLOPEN_FAILED' });

    expect(driverError(error).message).toContain(
      `built for version 1 of Node's interface, this one has ${process.versions.modules}`,
    );
  });

  it.each([
    new Error('permission denied'),
    Object.assign(new Error('unable to open database file'), { code: 'SQLITE_CANTOPEN' }),
    'text',
  ])('is not any other error: %s', (error) => {
    expect(isDriverError(error)).toBe(false);
  });
});
