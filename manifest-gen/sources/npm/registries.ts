import type { HttpAccess } from '../../../outbound/ask-host.ts';
import { type Asking, hostUnreachable, unreachable } from '../../../outbound/asking.ts';
import { type HostFailure, isHostFailure, whileAnswered } from '../../../outbound/silent-hosts.ts';
import type { Cache } from '../../../system/cache/cache.ts';
import { type NpmAnswer, type NpmClientSettings, runNpm, silentHostIn } from './client.ts';

export type RegistrySettings = NpmClientSettings & HttpAccess & { readonly cache: Cache };

export type Registries = ReturnType<typeof createRegistries>;

/** The registries of npm's own settings, asked by npm. */
export function createRegistries(settings: RegistrySettings) {
  const { cache, signal, retryPolicy, silentHosts } = settings;
  const known = new Map<string, Promise<string>>();
  const run = async (args: readonly string[], asking: Asking, more?: Partial<NpmClientSettings>) =>
    runNpm({ ...settings, ...more }, args, await cache.npm(), asking);

  const find = async (scope: string, asking: Asking): Promise<string> => {
    for (const key of [...(scope === '' ? [] : [`${scope}:registry`]), 'registry']) {
      const answer = await run(['config', 'get', key], asking);
      if ('code' in answer) return unreachable(asking, `${answer.code} ${answer.summary}`);
      const said = answer.stdout.trim().replace(/^"|"$/g, '');
      if (/^https?:/.test(said) && URL.canParse(said)) return said;
    }
    return unreachable(asking, 'npm names no registry');
  };

  /** By npm as well, since it may have a proxy of its own. */
  const silenceOf = async (registry: string, asking: Asking): Promise<HostFailure | undefined> => {
    const quick = { ...retryPolicy, attempts: 2, idleTimeoutMs: retryPolicy.answerTimeoutMs };
    return silentHostIn(await run(['ping', `--registry=${registry}`], asking, { retryPolicy: quick }));
  };

  /** The one that a package comes from, `@acme/tool@1.2.3` or without a version. @throws ReleaseError SOURCE_UNREACHABLE */
  const of = (spec: string, asking: Asking): Promise<string> => {
    // set for all packages, or for a scope
    const scope = /^(@[^/]+)\//.exec(spec)?.[1] ?? '';
    const registry = known.get(scope) ?? find(scope, asking);
    known.set(scope, registry);
    // the error names a tool, so the next tool asks again
    registry.catch(() => known.delete(scope));
    return registry;
  };

  return {
    of,
    /**
     * Runs npm for a package, `view` or `pack`; what it says is a value.
     * @throws ReleaseError SOURCE_UNREACHABLE when the registry does not answer, INTERRUPTED
     */
    async ask(spec: string, args: readonly string[], asking: Asking): Promise<NpmAnswer> {
      const registry = await of(spec, asking);
      const { host } = new URL(registry);
      // a tarball may take long on a line that is too slow for another request
      const silence = async () => (args[0] === 'view' ? silenceOf(registry, asking) : undefined);
      const answer = await silentHosts.ask(host, async (answered) => {
        const said = await whileAnswered(signal, retryPolicy.answerTimeoutMs, silence, (end) =>
          run(args, asking, { signal: end }),
        );
        if (isHostFailure(said)) return said;
        const silent = silentHostIn(said);
        if (silent?.host !== host) answered(host);
        return silent ?? said;
      });
      return isHostFailure(answer) ? hostUnreachable(asking, answer) : answer;
    },
  };
}
