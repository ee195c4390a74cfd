import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Moment } from './cutting-proxy.ts';
import {
  type Cut,
  type ProxiedRelease,
  type ReleasedManifest,
  startProxiedRelease,
} from './proxied-release.ts';
import { recordOn } from './record-on.ts';

/** What a withdrawal publishes, in its order: [request, which of them, moment, what is published when it is cut there]. */
const cuts: readonly (readonly [beginning: string, nth: number, moment: Moment, published: string])[] = [
  ['DELETE /nuget/', 1, 'before', 'Nothing was published'],
  ['DELETE /nuget/', 1, 'after', 'Nothing was published'],
  ['PUT /dl/', 1, 'after', 'is unlisted'],
  ['PUT /nuget/', 1, 'before', 'payload delve/'],
  ['PUT /nuget/', 1, 'after', 'payload delve/'],
  ['POST /git/beta/go-win-tools.git/git-receive-pack', 1, 'before', '-beta.1'],
  ['POST /git/beta/go-win-tools.git/git-receive-pack', 1, 'after', '-beta.1'],
  ['PUT /nuget/', 2, 'before', 'on branch beta'],
  ['PUT /nuget/', 2, 'after', 'on branch beta'],
  ['POST /git/beta/go-win-tools.git/git-receive-pack', 2, 'before', 'package delve'],
  ['POST /git/beta/go-win-tools.git/git-receive-pack', 2, 'after', 'package delve'],
];

type Ending = 'interrupted' | 'killed';
type Case = { ending: Ending; beginning: string; nth: number; moment: Moment; published: string; to: string };
const released = '1.26.0';
/** Never on the feed, so it comes from upstream. */
const foreign = '1.25.0';

/** Cut at each step, with the bytes of a version that the feed has. */
export const cutEverywhere = (ending: Ending): readonly Case[] =>
  cuts.map(([beginning, nth, moment, published]) => ({
    ...{ ending, beginning, nth, moment, published },
    to: released,
  }));

/** Killed after each step, with the bytes that upstream has. */
export const killedWithForeignBytes: readonly Case[] = cuts
  .filter(([, , moment]) => moment === 'after')
  .map(([beginning, nth, moment, published]) => ({
    ...({ ending: 'killed', beginning, nth, moment, published } as const),
    to: foreign,
  }));

/** Tests of withdrawals that end at one of their steps by Ctrl-C or SIGKILL, and that are run again. Each withdraws what the one before put on top. */
export function itEndsWellAgain(cases: readonly Case[]): void {
  let place: ProxiedRelease;

  beforeAll(async () => {
    place = await startProxiedRelease(['1.27.0', released, foreign]);
    await release(released);
    await release('1.27.0');
  });
  afterAll(() => place.stop());

  it.each(cases.map((one, at) => [one.ending, one.moment, one.nth, one.beginning, one.to, at] as const))(
    'completes when it is repeated, %s %s the %i. %s, with the bytes of %s',
    async (ending, moment, nth, beginning, to, at) => {
      const { generator, server, manifestAt } = place;
      const bad = at === 0 ? '1.27.0' : `1.27.0.${at}`;
      const next = `1.27.0.${at + 1}`;
      const args = [`delve@${bad}`, '--to', to, '--reason', 'crashes on start'];
      await end[ending](args, { beginning, moment, nth }, { next, published: cases[at]!.published });

      const again = await generator.run('release:withdraw', args);

      expect(again.exitCode, again.stderr).toBe(0);
      const { source, payloads } = await recordOn(server, 'delve', next);
      expect(source.version).toBe(to);
      for (const path of ['m/delve.json', 'm/beta/delve.json']) {
        const manifest = await manifestAt(path);
        expect(manifest.version).toBe(next);
        expect(hashesOf(manifest)).toEqual(payloads.map(({ sha256 }) => sha256));
        if (to === released)
          expect(hashesOf(manifest)).toEqual(hashesOf(await manifestAt(`m/delve/${to}/delve.json`)));
      }
      expect(await listedVersions()).toEqual([released, next]);
    },
  );

  type Expected = { readonly next: string; readonly published: string };
  const end: Record<Ending, (args: readonly string[], at: Cut, expected: Expected) => Promise<void>> = {
    /** It says what it has done, and what not. */
    async interrupted(args, { beginning, moment, nth }, { next, published }) {
      const interruption = new AbortController();
      place.proxy.trap(beginning, moment, () => interruption.abort(), nth);
      const cut = await place.generator.run('release:withdraw', args, { signal: interruption.signal });
      expect(cut, cut.stderr).toMatchObject({ exitCode: 130 });
      expect(cut.stderr).toContain('Interrupted: ');
      expect(cut.stderr).toContain(published);
      expect(cut.stderr).toContain(`Not finished: delve ${next}`);
    },
    killed: (args, at) => place.runAndKill('release:withdraw', args, at),
  };

  async function listedVersions(): Promise<string[]> {
    const answer = await fetch(`${place.server.url}/nuget/FindPackagesById()?id='delve'`);
    return (await answer.text())
      .split('<entry')
      .filter((entry) => !/<d:Published[^>]*>1900-/.test(entry))
      .flatMap((entry) => /<d:Version>([^<]+)</.exec(entry)?.[1] ?? [])
      .sort();
  }

  async function release(version: string): Promise<void> {
    for (const verb of ['release:beta', 'release:promote']) {
      expect(await place.generator.run(verb, [`delve@${version}`])).toMatchObject({ exitCode: 0 });
    }
  }
}

function hashesOf({ architecture }: ReleasedManifest): string[] {
  return Object.values(architecture).map(({ hash }) => hash);
}
