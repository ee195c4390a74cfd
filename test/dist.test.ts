import { readdir, readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createSbom } from '../dev/sbom.ts';
import { cycloneDxSchema } from './kit/cyclonedx.ts';
import { productDir } from './kit/test-server.ts';

const dist = join(productDir, 'dist');

async function dependencies(): Promise<readonly string[]> {
  const manifest = JSON.parse(await readFile(join(productDir, 'package.json'), 'utf8'));
  return Object.keys(manifest.dependencies);
}

describe('dist/, the program as it is installed', () => {
  it('needs no packages but those that an installation brings along', async () => {
    const names = (await readdir(dist)).filter((name) => name.endsWith('.js'));
    const sources = await Promise.all(names.map((name) => readFile(join(dist, name), 'utf8')));
    const imported = sources.flatMap((source) =>
      [...source.matchAll(/(?:^|;)(?:import|export)\b[^'";()]*["']([^."'][^"']*)["'];/gm)].map(
        ([, name]) => name ?? '',
      ),
    );
    const packages = new Set(
      imported.filter((name) => !name.startsWith('node:') && !builtinModules.includes(name)),
    );

    expect(packages).toContain('better-sqlite3');
    expect(await dependencies()).toEqual(expect.arrayContaining([...packages]));
  });

  it('is ASCII, since V8 keeps the source of what is loaded, and one other character doubles it', async () => {
    const names = (await readdir(dist)).filter((name) => name.endsWith('.js'));
    for (const name of names) expect(await readFile(join(dist, name), 'utf8')).toMatch(/^[\0-\x7f]*$/);
  });

  it('brings the licence of each package whose code is inside', async () => {
    const licenses = await readFile(join(dist, 'licenses.txt'), 'utf8');

    const notices = licenses.split(/\n-{72}\n/).map((notice) => notice.trim());

    expect(notices.length).toBeGreaterThan(50);
    for (const notice of notices) expect(notice).toMatch(/^\S+ \d\S+ \(.+\)\n\n[\s\S]{100}/);
    for (const name of ['commander', 'express', 'got', 'zod']) {
      const notice = notices.find((one) => one.startsWith(`${name} `));
      expect(notice).toMatch(/\(MIT\)\n.*MIT License/is);
    }
  });

  describe('its SBOM', () => {
    const read = () => readFile(join(dist, 'sbom.cdx.json'), 'utf8');

    it('is valid by the published schema', async () => {
      const validate = await cycloneDxSchema('1.6');
      const bom = JSON.parse(await read());

      expect(validate(bom), JSON.stringify(validate.errors)).toBe(true);
      expect(validate({ ...bom, serialNumber: 'urn:uuid:1' })).toBe(false);
    });

    it('has each package that the program needs, with hash and licence, and none of those that build it', async () => {
      const { metadata, components, dependencies: graph }: Bom = JSON.parse(await read());
      const root = graph.find(({ ref }) => ref === metadata.component['bom-ref']);
      const refs = new Set(components.map((one) => one['bom-ref']));
      const names = components.map(({ name }) => name);

      const named = root?.dependsOn.map((ref) => components.find((one) => one['bom-ref'] === ref)?.name);
      expect(named?.toSorted()).toEqual((await dependencies()).toSorted());
      expect(names).toEqual(expect.arrayContaining(['bindings', 'express', 'router', 'saxes', 'xmlchars']));
      for (const builder of ['vitest', 'typescript', 'knip', '@biomejs/biome'])
        expect(names).not.toContain(builder);
      for (const { dependsOn = [] } of graph)
        expect([...refs]).toEqual(expect.arrayContaining([...dependsOn]));
      for (const { name, hashes, licenses } of components) {
        expect(hashes, name).toEqual([{ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) }]);
        if (!/^(@esbuild\/|fsevents$)/.test(name)) expect(licenses, name).toHaveLength(1);
      }
    });

    it('has the same bytes each time, and its serial number from them', async () => {
      const text = await createSbom(productDir);

      expect(text).toBe(await read());
      expect(text).toMatch(
        /"serialNumber": "urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"/,
      );
      expect(text).not.toContain('timestamp');
    });
  });
});

type Bom = {
  readonly metadata: { readonly component: { readonly 'bom-ref': string } };
  readonly components: readonly {
    readonly name: string;
    readonly 'bom-ref': string;
    readonly hashes?: readonly object[];
    readonly licenses?: readonly object[];
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
};
