import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Moment } from '../kit/cutting-proxy.ts';
import { type ProxiedRelease, startProxiedRelease } from '../kit/proxied-release.ts';

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
  let released: ProxiedRelease;

  beforeAll(async () => {
    released = await startProxiedRelease(steps.map((_, at) => `1.26.${at}`));
  });
  afterAll(() => released.stop());

  it.each(steps.map(([beginning, moment], at) => [moment, beginning, `1.26.${at}`] as const))(
    'completes when it is repeated, killed %s %s',
    async (moment, beginning, upstream) => {
      const { generator, server, manifestAt, runAndKill } = released;
      for (const [verb, version] of [
        ['release:beta', `${upstream}-beta.1`],
        ['release:promote', upstream],
      ] as const) {
        await runAndKill(verb, [`delve@${upstream}`], { beginning, moment });

        const again = await generator.run(verb, [`delve@${upstream}`]);
        const idle = await generator.run(verb, [`delve@${upstream}`]);

        expect(again, verb).toMatchObject({ exitCode: 0 });
        expect(idle.stdout, verb).toContain(`delve ${version}: nothing to do`);
        const manifest = await manifestAt(verb === 'release:beta' ? 'm/beta/delve.json' : 'm/delve.json');
        expect(manifest.version).toBe(version);
        for (const { url, hash } of Object.values(manifest.architecture)) {
          expect(await (await fetch(`${url.replace(/#.*/, '')}.sha256`)).text()).toBe(`${hash}\n`);
        }
        const nupkg = await fetch(`${server.url}/nuget/package/delve/${version}`);
        expect(nupkg.status).toBe(200);
        await nupkg.arrayBuffer();
      }
    },
  );
});
