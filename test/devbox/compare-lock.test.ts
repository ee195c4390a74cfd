import { describe, expect, it } from 'vitest';
import { compareLock, type Offered } from '../../devbox/compare-lock.ts';
import type { Declaration } from '../../devbox/declaration.ts';
import { type Lock, Lock as LockSchema, readLock, writeLock } from '../../devbox/lock.ts';

const sha256 = (digit: string): string => digit.repeat(64);
const feed = 'https://feed.example.test';
const buf = { version: '1.32.0', url: `${feed}/dl/buf.exe`, sha256: sha256('1'), file: 'buf.exe' };
const probe = { version: '0.2.0', url: `${feed}/nuget/package/go-win-probe/0.2.0`, sha256: sha256('2') };
const windows = { url: 'https://proxy.example.test/go.zip', sha256: sha256('3') };
const image = { base: 'x', limit: 25 };
const declaration: Declaration = {
  ...{ version: 1, feed, tools: { buf: '1.32.0' }, probe: '0.2.0', go: { version: '1.26.8' } },
  images: { linux: image, windows: image },
};
const offered: Offered = { tools: { buf }, probe, windowsGo: windows };
const values = { version: 1, feed, tools: { buf }, probe, go: { version: '1.26.8', windows } } as const;
const lock: Lock = readLock(writeLock(values, new Map()))!.lock;

describe('the lock against what the feed has', () => {
  it('has nothing to say where both are the same', () => {
    expect(compareLock(declaration, lock, offered)).toEqual([]);
  });

  it.each([
    [
      'a tool that devbox.yaml does not name',
      { tools: { buf, evil: { ...buf, file: 'evil.exe' } } },
      'evil stale',
    ],
    ['a tool that is not locked', { tools: {} }, 'buf stale'],
    ['another version', { tools: { buf: { ...buf, version: '1.31.0' } } }, 'buf stale'],
    ['another address', { tools: { buf: { ...buf, url: 'https://evil.test/b.exe' } } }, 'buf differs'],
    ['another hash', { tools: { buf: { ...buf, sha256: sha256('9') } } }, 'buf differs'],
    ['another name of the exe', { tools: { buf: { ...buf, file: 'protoc.exe' } } }, 'buf differs'],
    ['another probe', { probe: { ...probe, sha256: sha256('9') } }, 'go-win-probe differs'],
    [
      'another Go for Windows',
      { go: { version: '1.26.8', windows: { ...windows, sha256: sha256('9') } } },
      'go for Windows differs',
    ],
    ['no Go for Windows', { go: { version: '1.26.8' } }, 'go for Windows missing'],
    ['another version of Go', { go: { version: '1.25.0', windows } }, 'go stale'],
    ['another feed', { feed: 'https://evil.test' }, 'feed stale'],
  ])('finds %s', (_what, change, expected) => {
    const found = compareLock(declaration, { ...lock, ...change }, offered);
    expect(found.map(({ about, kind }) => `${about} ${kind}`)).toContain(expected);
  });

  it.each(['go.exe', 'GO.exe', 'go-win-probe.exe', 'cmd.exe', '../x.exe', 'buf'])(
    'cannot have a tool whose exe is called %s',
    (file) => {
      expect(LockSchema.safeParse({ ...lock, tools: { buf: { ...buf, file } } }).success).toBe(false);
    },
  );

  it('cannot have two exes of one name', () => {
    const tools = { buf, other: { ...buf, file: 'BUF.exe' } };
    expect(LockSchema.safeParse({ ...lock, tools }).success).toBe(false);
  });
});
