import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askProxy } from '../../go-command/ask-proxy.ts';
import type { HttpAccess } from '../../outbound/ask-host.ts';
import type { CommandResult } from '../../system/run-command.ts';
import { type Listening, listen } from '../kit/listen.ts';
import { makeAccess } from '../kit/upstream-fixture.ts';

const ended = (exitCode: number, stderr = ''): CommandResult => ({
  exitCode,
  stdout: Buffer.from(''),
  stderr,
});

/** Go that waits for ever, as it does for an answer. */
const waiting = (_: string, signal: AbortSignal): Promise<CommandResult> =>
  pause(60_000, ended(0), { signal });

describe('a Go proxy that takes connections and says nothing', () => {
  let proxy: Listening;
  let asked: number;
  let access: HttpAccess;
  beforeEach(async () => {
    asked = 0;
    proxy = await listen(() => {
      asked += 1;
    });
    const { retryPolicy, ...rest } = makeAccess();
    access = { ...rest, retryPolicy: { ...retryPolicy, answerTimeoutMs: 50 } };
  });
  afterEach(() => proxy.stop());

  it('stops what would wait for it, once; from then on Go uses the cache', async () => {
    const settings = { GOPROXY: `${proxy.url}|https://other.test,direct`, GONOPROXY: '' };
    const silence = { host: new URL(proxy.url).host, isSilent: true };
    const proxies: string[] = [];
    const fromCache = (exitCode: number, stderr: string) => async (list: string) => {
      proxies.push(list);
      return ended(exitCode, stderr);
    };

    expect(await askProxy(access, settings, true, waiting)).toMatchObject(silence);
    const lacks = 'go: x@v1.0.0: module lookup disabled by GOPROXY=off';
    expect(await askProxy(access, settings, true, fromCache(1, lacks))).toMatchObject(silence);
    expect(await askProxy(access, settings, true, fromCache(0, ''))).toEqual(ended(0));
    const corrupt = 'SECURITY ERROR';
    expect(await askProxy(access, settings, true, fromCache(1, corrupt))).toEqual(ended(1, corrupt));
    expect(proxies).toEqual(['off', 'off', 'off']);
    expect(asked).toBe(2);
  });

  it.each([
    ['a build', false, ''],
    ['private modules', true, 'corp.test'],
  ])('ends no %s, which may take long without it', async (_, isFetching, GONOPROXY) => {
    const slow = (): Promise<CommandResult> => pause(300, ended(0));
    const settings = { GOPROXY: proxy.url, GONOPROXY };
    expect(await askProxy(access, settings, isFetching, slow)).toEqual(ended(0));
    expect(asked).toBe(0);
  });
});
