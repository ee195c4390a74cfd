import { askHost, type HttpAccess } from '../outbound/ask-host.ts';
import {
  createSilentHosts,
  type HostFailure,
  isHostFailure,
  whileAnswered,
} from '../outbound/silent-hosts.ts';
import type { CommandResult } from '../system/run-command.ts';
import { silentHostIn } from './go-fault.ts';

export type ProxySettings = { readonly GOPROXY: string; readonly GONOPROXY: string };

/** Go's message for a missing module when it may not use the network. */
const isNotHere = /module lookup disabled by GOPROXY=off|toolchain not available/;

/**
 * Runs Go, which asks its module proxy for what is not in the cache. A proxy that does not answer is asked once in a run; from
 * then on Go uses only the cache.
 * @param isFetching it does nothing that may take long but ask
 */
export async function askProxy(
  access: HttpAccess,
  { GOPROXY, GONOPROXY }: ProxySettings,
  isFetching: boolean,
  run: (goProxy: string, signal: AbortSignal) => Promise<CommandResult>,
): Promise<CommandResult | HostFailure> {
  const { signal, retryPolicy, silentHosts } = access;
  const proxy = firstProxy(GOPROXY);
  if (proxy === undefined) return run(GOPROXY, signal);
  let isAsked = false;
  const answer = await silentHosts.ask(proxy.host, async (answered) => {
    isAsked = true;
    const probe = async (): Promise<HostFailure | undefined> => {
      // a build may take long without the proxy, and a private module does not come from there
      if (!isFetching || GONOPROXY !== '') return undefined;
      const silence = await silenceOf(access, proxy);
      if (silence === undefined) answered(proxy.host);
      return silence;
    };
    const result = await whileAnswered(signal, retryPolicy.answerTimeoutMs, probe, (end) =>
      run(GOPROXY, end),
    );
    if (isHostFailure(result) || result.exitCode === 0) return result;
    return silentHostIn(wordsOf(result)) ?? result;
  });
  if (!isHostFailure(answer) || isAsked) return answer;
  const fromCache = await run('off', signal);
  return fromCache.exitCode !== 0 && isNotHere.test(wordsOf(fromCache)) ? answer : fromCache;
}

/** Where Go asks first; undefined for `direct`, `off` and folders. */
export function firstProxy(list: string): URL | undefined {
  const [first = ''] = list.split(/[,|]/);
  return /^https?:/.test(first.trim()) && URL.canParse(first.trim()) ? new URL(first.trim()) : undefined;
}

/** Whatever it answers will do. */
async function silenceOf(access: HttpAccess, { origin }: URL): Promise<HostFailure | undefined> {
  // a note of its own, since waiting for the run's would wait for this one
  const alone = { ...access, silentHosts: createSilentHosts() };
  const result = await askHost(alone, `${origin}/`, async (open) => {
    const { body } = await open({ headers: {}, decompress: false });
    body.destroy();
    return { done: undefined };
  });
  return 'failed' in result && result.isSilent ? result : undefined;
}

function wordsOf({ stdout, stderr }: CommandResult): string {
  return `${stdout}\n${stderr}`;
}
