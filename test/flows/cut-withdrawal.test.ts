import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Forge, startForge } from '../kit/forge.ts';
import { type Gate, type Moment, startGate } from '../kit/gate.ts';
import { delveRelease, type Generator, makeGenerator } from '../kit/generator.ts';
import { startHouse, type TestHouse } from '../kit/house.ts';

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

/** A withdrawal that Ctrl-C ends at each of its steps, and that is run again. Each withdraws what the one before put on top. */
describe('a withdrawal that was cut', () => {
  let house: TestHouse;
  let gate: Gate;
  let forge: Forge;
  let generator: Generator;

  beforeAll(async () => {
    house = await startHouse();
    gate = await startGate(house.url);
    forge = await startForge();
    forge.addRepository(
      'go-delve/delve',
      ['1.27.0', '1.26.0'].map((version) => delveRelease(version)),
    );
    generator = await makeGenerator({
      FEED_URL: `${gate.url}/nuget`,
      FEED_API_KEY: house.adminKey,
      GITHUB_API_URL: forge.apiUrl,
    });
    await release('1.26.0');
    await release('1.27.0');
  });
  afterAll(async () => {
    await generator.stop();
    await forge.stop();
    await gate.stop();
    await house.stop();
  });

  it.each(
    cuts.map(([beginning, nth, moment, published], at) => [moment, nth, beginning, published, at] as const),
  )(
    'ends well when it is run again, cut %s the %i. %s',
    async (moment, nth, beginning, published, at) => {
      const bad = at === 0 ? '1.27.0' : `1.27.0.${at}`;
      const next = `1.27.0.${at + 1}`;
      const interruption = new AbortController();
      gate.trap(beginning, moment, () => interruption.abort(), nth);

      const args = [`delve@${bad}`, '--to', '1.26.0', '--reason', 'crashes on start'];
      const cut = await generator.run('release:withdraw', args, { signal: interruption.signal });
      const again = await generator.run('release:withdraw', args);

      expect(cut, cut.stderr).toMatchObject({ exitCode: 130 });
      expect(cut.stderr).toContain('Interrupted: ');
      expect(cut.stderr).toContain(published);
      expect(cut.stderr).toContain(`Not finished: delve ${next}`);
      expect(again.exitCode, again.stderr).toBe(0);
      for (const path of ['m/delve.json', 'm/beta/delve.json']) {
        const manifest = await manifestAt(path);
        expect(manifest.version).toBe(next);
        expect(hashesOf(manifest)).toEqual(hashesOf(await manifestAt('m/delve/1.26.0/delve.json')));
      }
      expect((await fetch(`${house.url}/nuget/package/delve/${next}`)).status).toBe(200);
      expect(await listedVersions()).toEqual(['1.26.0', next]);
    },
    120_000,
  );

  async function listedVersions(): Promise<string[]> {
    const answer = await fetch(`${house.url}/nuget/FindPackagesById()?id='delve'`);
    return (await answer.text())
      .split('<entry')
      .filter((entry) => !/<d:Published[^>]*>1900-/.test(entry))
      .flatMap((entry) => /<d:Version>([^<]+)</.exec(entry)?.[1] ?? [])
      .sort();
  }

  async function release(version: string): Promise<void> {
    for (const verb of ['release:beta', 'release:promote']) {
      expect(await generator.run(verb, [`delve@${version}`])).toMatchObject({ exitCode: 0 });
    }
  }

  async function manifestAt(path: string) {
    const answer = await fetch(`${house.url}/${path}`);
    return (await answer.json()) as Manifest;
  }
});

type Manifest = { version: string; architecture: Record<string, { hash: string }> };

function hashesOf({ architecture }: Manifest): string[] {
  return Object.values(architecture).map(({ hash }) => hash);
}
