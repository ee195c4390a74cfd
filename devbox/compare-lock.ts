import { isDeepStrictEqual } from 'node:util';
import type { Declaration } from './declaration.ts';
import { probeId } from './feed-values.ts';
import type { Finding } from './finding.ts';
import type { Download, Lock, LockedValues, ToolDownload } from './lock.ts';

/** What feed and module proxy have for a declaration now; undefined for what they do not have. */
export type Offered = {
  readonly tools: Readonly<Record<string, ToolDownload | undefined>>;
  readonly probe: Download | undefined;
  readonly windowsGo: LockedValues['go']['windows'];
};

/** Pure. Whether builds would download, by the lock, exactly what the feed has for what devbox.yaml names. */
export function compareLock(
  { feed, tools, probe, go }: Declaration,
  lock: Lock,
  offered: Offered,
): readonly Finding[] {
  const named: readonly (readonly [
    about: string,
    declared: string | undefined,
    locked: string | undefined,
  ])[] = [
    ['feed', feed, lock.feed],
    ['go', go.version, lock.go.version],
    [probeId, probe, lock.probe?.version],
    ...[...new Set([...Object.keys(tools), ...Object.keys(lock.tools)])].map(
      (tool) => [tool, tools[tool], lock.tools[tool]?.version] as const,
    ),
  ];
  const stale = named
    .filter(([, declared, locked]) => declared !== locked)
    .map(([about, declared, locked]): Finding => {
      const [yaml, json] = [declared, locked].map((text) =>
        text === undefined ? 'does not have it' : `has ${text}`,
      );
      return {
        about,
        kind: 'stale',
        what: `devbox.yaml ${yaml}, devbox.lock.json ${json}`,
        next: 'Run `devbox:create`.',
      };
    });
  const pairs: readonly (readonly [about: string, there: object | undefined, locked: object | undefined])[] =
    [
      ...Object.keys(tools).map((tool) => [tool, offered.tools[tool], lock.tools[tool]] as const),
      [probeId, offered.probe, lock.probe],
      ['go for Windows', offered.windowsGo, lock.go.windows],
    ];
  const missing: readonly Finding[] =
    lock.go.windows === undefined && go.version === lock.go.version
      ? [
          {
            about: 'go for Windows',
            kind: 'missing',
            what: 'devbox.lock.json has no zip of the Windows toolchain, so no Windows image can be built',
            next: 'Give its url and sha256 under go: windows: in devbox.yaml, or make the module proxy reachable, and run `devbox:create`.',
          },
        ]
      : [];
  const isStale = new Set(stale.map(({ about }) => about));
  const differing = pairs
    .filter(([about, there, locked]) => !isStale.has(about) && there !== undefined && locked !== undefined)
    .filter(([, there, locked]) => !isDeepStrictEqual(there, locked))
    .map(
      ([about, there, locked]): Finding => ({
        about,
        kind: 'differs',
        what: `expected ${inWords(there)} as published, found ${inWords(locked)} in devbox.lock.json`,
        next: 'A published version never changes: find out who changed which of the two before you build again.',
      }),
    );
  return [...stale, ...missing, ...differing];
}

function inWords(download: object | undefined): string {
  return Object.entries(download ?? {})
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
