import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Forge, startForge } from '../kit/forge.ts';
import { type Gate, type Moment, startGate } from '../kit/gate.ts';
import { delveRelease, type Generator, makeGenerator } from '../kit/generator.ts';
import { startHouse, type TestHouse } from '../kit/house.ts';

/** The order of what is published: [request, moment]. */
const steps: readonly (readonly [beginning: string, moment: Moment])[] = [
  ['PUT /dl/', 'before'],
  ['PUT /dl/', 'after'],
  ['PUT /nuget/', 'before'],
  ['PUT /nuget/', 'after'],
  ['POST /git/beta/go-win-tools.git/git-receive-pack', 'before'],
  ['POST /git/beta/go-win-tools.git/git-receive-pack', 'after'],
];

/** A release that is killed at each of its steps (SIGKILL: it can clean nothing up) and run again. */
describe('a release that was killed', () => {
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
      steps.map((_, at) => delveRelease(`1.26.${at}`)),
    );
    generator = await makeGenerator({
      FEED_URL: `${gate.url}/nuget`,
      FEED_API_KEY: house.adminKey,
      GITHUB_API_URL: forge.apiUrl,
    });
  });
  afterAll(async () => {
    await generator.stop();
    await forge.stop();
    await gate.stop();
    await house.stop();
  });

  it.each(steps.map(([beginning, moment], at) => [moment, beginning, `1.26.${at}`] as const))(
    'ends well when it is run again, killed %s %s',
    async (moment, beginning, upstream) => {
      for (const [verb, version] of [
        ['release:beta', `${upstream}-beta.1`],
        ['release:promote', upstream],
      ] as const) {
        await runAndKill(verb, `delve@${upstream}`, beginning, moment);

        const again = await generator.run(verb, [`delve@${upstream}`]);
        const idle = await generator.run(verb, [`delve@${upstream}`]);

        expect(again, verb).toMatchObject({ exitCode: 0 });
        expect(idle.stdout, verb).toContain(`delve ${version}: nothing to do`);
        const manifest = await manifestAt(verb === 'release:beta' ? 'm/beta/delve.json' : 'm/delve.json');
        expect(manifest.version).toBe(version);
        for (const { url, hash } of Object.values(manifest.architecture)) {
          expect(await (await fetch(`${url.replace(/#.*/, '')}.sha256`)).text()).toBe(`${hash}\n`);
        }
        const nupkg = await fetch(`${house.url}/nuget/package/delve/${version}`);
        expect(nupkg.status).toBe(200);
        await nupkg.arrayBuffer();
      }
    },
    180_000,
  );

  async function runAndKill(verb: string, arg: string, beginning: string, moment: Moment): Promise<void> {
    const child = generator.spawn(verb, [arg]);
    let output = '';
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk) => (output += chunk));
    gate.trap(beginning, moment, () => child.kill('SIGKILL'));
    const [, signal] = (await once(child, 'close')) as [number | null, string | null];
    expect(signal, output).toBe('SIGKILL');
  }

  async function manifestAt(path: string) {
    const answer = await fetch(`${house.url}/${path}`);
    return (await answer.json()) as {
      version: string;
      architecture: Record<string, { url: string; hash: string }>;
    };
  }
});
