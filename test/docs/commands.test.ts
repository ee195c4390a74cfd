import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { loadOrMakeKey } from '../../manifest-gen/sources/bundle/key.ts';
import { checkoutVerbs, productVerbs } from '../../verbs.ts';
import { cli } from '../kit/cli.ts';
import { hasGo } from '../kit/exe.ts';
import { delveRelease } from '../kit/generator.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { startOtlpReceiver, tracingTo } from '../kit/otlp-receiver.ts';
import { commandsOf, fencedBlocks, type PageFixture, runPage } from '../kit/page-commands.ts';
import { hasProgram } from '../kit/programs.ts';
import { startReleaseFixture } from '../kit/release-fixture.ts';
import { testCacheDir } from '../kit/test-cache.ts';
import { makeKey, makeTempDir, productDir, pushNupkg, startTestServer } from '../kit/test-server.ts';
import { makeVuln, writeVulnDb } from '../kit/vulndb.ts';

const minutes = 60_000;
const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
}, minutes);

type Page = { readonly needs: readonly string[]; readonly prepare: () => Promise<PageFixture> };

/** Pages whose `sh` blocks are run here, each in a fixture in which its commands make sense. */
const pages: Readonly<Record<string, Page>> = {
  'docs/operate/access.md': { needs: [], prepare: besideServer },
  'docs/operate/rings.md': { needs: [], prepare: besideServer },
  'docs/operate/alerts/README.md': { needs: [], prepare: besideServer },
  'docs/operate/watching.md': { needs: [], prepare: besideServer },
  'docs/operate/taking-back.md': {
    needs: [],
    async prepare() {
      const fixture = await besideServer();
      await pushNupkg(fixture, makeNupkg({ id: 'acme.tool', version: '2.1.0' }), adminKeyOf(fixture));
      return fixture;
    },
  },
  'docs/operate/installed.md': { needs: ['jq'], prepare: besideServer },
  'docs/operate/tracing.md': {
    needs: ['curl', 'openssl'],
    async prepare() {
      const collector = await startOtlpReceiver();
      undo.push(collector.stop);
      const { url, adminKey } = await startServer({ tracing: tracingTo(collector.url) });
      return { cwd: await folder(), env: { FEED: url, KEY: adminKey }, replace: {} };
    },
  },
  'docs/clients/fleet.md': { needs: [], prepare: besideServer },
  'docs/operate/backup.md': {
    needs: [],
    async prepare() {
      const fixture = await besideServer();
      const restore = 'npx -y pnpm@10 feed:restore /backup/feed-2026-11-24.tgz\n';
      return {
        ...fixture,
        replace: {
          // on another machine, whose data folder is still missing
          [restore]: `DATA_DIR=${fixture.cwd}/restored ${restore}`,
          '/backup/': `${fixture.cwd}/`,
          '/srv/': `${fixture.cwd}/`,
          '/tmp/drill': `${fixture.cwd}/drill`,
        },
      };
    },
  },
  'docs/operate/recovery.md': {
    needs: ['sha256sum'],
    async prepare() {
      const [fixture, first] = [await besideServer(), await startServer()];
      await pushNupkg(first, makeNupkg({ id: 'golangci-lint', version: '1.60.0' }), first.adminKey);
      const files = { '/backup/': `${fixture.cwd}/`, '/mnt/other-machine/': `${fixture.cwd}/` };
      return { ...fixture, replace: { ...files, 'https://feed.example': first.url } };
    },
  },
  'docs/operate/community-packages.md': {
    needs: ['unzip'],
    async prepare() {
      const [fixture, community] = [await besideServer(), await startServer()];
      const scripts = {
        'tools/chocolateyInstall.ps1': "Get-ChocolateyWebFile 'x' 'https://dl.example.org/x.exe'",
      };
      await pushNupkg(community, makeNupkg({ id: 'firefox', files: scripts }), community.adminKey);
      return { ...fixture, replace: { 'https://community.example': community.url } };
    },
  },
  'docs/operate/audit.md': {
    needs: [],
    async prepare() {
      const fixture = await besideServer();
      return {
        ...fixture,
        replace: { '/mnt/other-machine/': `${fixture.cwd}/`, '/var/lib/gwt/': `${fixture.cwd}/` },
      };
    },
  },
  'docs/operate/upgrade.md': {
    needs: [],
    async prepare() {
      const fixture = await besideServer();
      return { ...fixture, replace: { '/backup/': `${fixture.cwd}/`, '/tmp/try': `${fixture.cwd}/try` } };
    },
  },
  'docs/operate/moving.md': {
    needs: [],
    async prepare() {
      const fixture = await besideServer();
      const old = await startServer();
      await pushNupkg(old, makeNupkg({ id: 'old', version: '1.0.0' }), old.adminKey);
      await mkdir(join(fixture.cwd, 'packages'));
      await writeFile(join(fixture.cwd, 'packages', 'any.nupkg'), makeNupkg({ id: 'any', version: '1.0.0' }));
      return { ...fixture, replace: { 'https://old.example.org': old.url, '/srv/': `${fixture.cwd}/` } };
    },
  },
  'docs/operate/conformance.md': {
    needs: ['jq'],
    async prepare() {
      const fixture = await besideServer();
      const closed = await startServer({ readAuth: 'feed' });
      await writeFile(join(fixture.cwd, 'password'), await makeKey(closed, ['read']));
      await mkdir(join(fixture.cwd, 'data'));
      await writeFile(join(fixture.cwd, 'data', 'start.key'), adminKeyOf(fixture));
      const replace = { 'https://feed.corp/nuget': `${closed.url}/nuget`, 'https://feed.corp': fixture.url };
      return { ...fixture, replace: { ...replace, 'http://127.0.0.1:8080': fixture.url } };
    },
  },
  'docs/release/README.md': {
    needs: [],
    async prepare() {
      const fixture = await generator(['1.26.3', '1.26.2']);
      await fixture.run('release:beta', 'delve@1.26.2');
      await fixture.run('release:promote', 'delve@1.26.2');
      await fixture.run('release:beta', 'delve@1.26.3');
      return { ...fixture, replace: { '1.22.0': '1.26.3' } };
    },
  },
  'docs/release/rollouts.md': {
    needs: [],
    async prepare() {
      const fixture = await generator(['1.26.4', '1.26.3', '1.26.2']);
      await fixture.run('release:beta', 'delve@1.26.2');
      await fixture.run('release:promote', 'delve@1.26.2');
      await fixture.run('release:beta', 'delve@1.26.3');
      const steps = '[{ percent: 10, hold: 1h }, { percent: 50, hold: 1h }]';
      await writeFile(join(fixture.cwd, 'plan.yaml'), `steps: ${steps}\n`);
      // what is given to five percent comes after 1.26.3, which was taken back
      return { ...fixture, replace: { '1.22.0': '1.26.4' } };
    },
  },
  'docs/release/watching-upstream.md': {
    needs: [],
    async prepare() {
      const fixture = await generator(['1.26.3']);
      await fixture.run('release:beta', 'delve');
      await fixture.run('release:promote', 'delve');
      return fixture;
    },
  },
  'docs/release/air-gap.md': {
    needs: ['minisign', 'tar', 'sha256sum'],
    async prepare() {
      const fixture = await generator(['1.26.3']);
      await writeVulnDb(join(fixture.cwd, 'database'), [
        makeVuln('GO-2026-0001', 'example.test/dep', undefined),
      ]);
      const { publicKey } = await loadOrMakeKey(join(fixture.cwd, 'data', 'bundle.key'));
      const env = {
        ...fixture.env,
        DATA_DIR: join(fixture.cwd, 'data'),
        VULN_DB: join(fixture.cwd, 'database'),
      };
      return { ...fixture, env, replace: { 'RW...': publicKey } };
    },
  },
  'docs/clients/first-minute.md': {
    needs: ['go'],
    async prepare() {
      const fixture = await besideServer();
      const feed = { FEED_URL: `${fixture.url}/nuget`, FEED_API_KEY: adminKeyOf(fixture) };
      return { ...fixture, env: { ...fixture.env, ...feed, CACHE_DIR: testCacheDir } };
    },
  },
  'docs/shims/README.md': {
    needs: [],
    async prepare() {
      const cwd = await folder();
      const text = await readFile(join(productDir, 'docs', 'shims', 'README.md'), 'utf8');
      await writeFile(join(cwd, 'policy.yaml'), fencedBlocks(text, 'yaml')[0] ?? '');
      return { cwd, env: { CACHE_DIR: testCacheDir }, replace: {} };
    },
  },
};

/** Pages whose commands another test runs, and what of that test runs them. */
const ranElsewhere: Readonly<
  Record<string, { readonly test: string; readonly by: (command: string) => string }>
> = {
  'docs/operate/doctor.md': {
    test: 'test/server/verbs/doctor/doctor.test.ts',
    by: (command) =>
      command.includes('--alertmanager') ? "'--alertmanager', url" : "cli(env, 'feed:doctor'",
  },
  'docs/release/start-small.md': { test: 'test/docs/start-small.test.ts', by: () => "'start-small.md'" },
  'docs/operate/trusted-publishing.md': {
    test: 'test/server/verbs/trust.test.ts',
    by: (command) => {
      const [, noun, verb] = /feed:keys (trust|issuer) (\w+)/.exec(command) ?? [];
      // the second line of a command has no verb
      if (noun === undefined) return "'--subject', subject";
      return verb === 'list' ? `listed('${noun}')` : `'${noun}', '${verb}'`;
    },
  },
  'docs/operate/README.md': {
    test: 'test/flows/operator.test.ts',
    by: (command) => `operate('${/feed:\S+( add)?/.exec(command)?.[0]}`,
  },
  'docs/devbox/README.md': {
    test: 'test/devbox/check.test.ts',
    by: (command) => `'${/devbox:\S+/.exec(command)?.[0]}'`,
  },
  'docs/devbox/pipeline.md': {
    test: 'test/devbox/pipeline/fixture.ts',
    by: () => "fencedBlocks(page, 'sh')",
  },
  'docs/devbox/signing.md': { test: 'test/slow/signing.test.ts', by: () => "'docs/devbox/signing.md'" },
  'docs/devbox/probe.md': {
    test: 'test/own-packages/probe.test.ts',
    by: (command) => `'${command.split(' probe ')[1]?.replaceAll(' ', "', '")}'`,
  },
};

/** Commands of programs that this machine or a test cannot have, so no block calls them `sh`. */
const notRun: Readonly<Record<string, string>> = {
  'docker compose': 'needs a container engine',
  'docker build': 'needs a container engine',
  'systemd-run': 'needs systemd as the first process',
  signtool: 'is a program of Windows',
  'cosign trusted-root': "needs Sigstore's servers",
  'cosign sign --yes "$IMAGE': "needs GitHub's and Sigstore's servers",
  'cosign verify "$IMAGE': "needs GitHub's and Sigstore's servers",
  'gh attestation': "needs GitHub's servers",
};

async function folder(): Promise<string> {
  const dir = await makeTempDir();
  undo.push(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  return dir;
}

async function startServer(settings?: Parameters<typeof startTestServer>[0]) {
  const server = await startTestServer(settings);
  undo.push(() => server.stop());
  return server;
}

type ServerFixture = PageFixture & { readonly url: string };

/** A reader at the operator's machine: a server with two packages, and its data folder. */
async function besideServer(): Promise<ServerFixture> {
  const server = await startServer();
  for (const [id, version] of [
    ['buf', '1.32.0'],
    ['delve', '1.22.0'],
  ] as const) {
    await pushNupkg(server, makeNupkg({ id, version }), server.adminKey);
  }
  const cwd = await folder();
  return {
    cwd,
    url: server.url,
    env: { DATA_DIR: server.dataDir, KEY_OF_TEST: server.adminKey },
    replace: {},
  };
}

function adminKeyOf({ env }: PageFixture): string {
  return env.KEY_OF_TEST ?? '';
}

/** A maintainer's machine: a forge with these releases of delve, the only tool, and a server to publish to. */
async function generator(versions: readonly string[]) {
  const fixture = await startReleaseFixture({
    repositories: { 'go-delve/delve': versions.map((version) => delveRelease(version)) },
  });
  undo.push(() => fixture.stop());
  const cwd = await folder();
  await mkdir(join(cwd, 'tools'));
  await cp(join(productDir, 'manifest-gen/tools/delve.yaml'), join(cwd, 'tools', 'delve.yaml'));
  return {
    cwd,
    // a cache of its own: this process uses the other one to its end
    env: { ...fixture.generator.env, TOOLS_DIR: join(cwd, 'tools'), CACHE_DIR: join(cwd, 'cache') },
    replace: {},
    async run(verb: string, ...args: readonly string[]) {
      const { exitCode, stderr } = await fixture.generator.run(verb, args);
      expect(exitCode, stderr).toBe(0);
    },
  };
}

const below = await readdir(join(productDir, 'docs'), { recursive: true });
const everyPage = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...below.filter((name) => name.endsWith('.md')).map((name) => join('docs', name)),
];

describe('the commands of the docs', () => {
  for (const [page, { needs, prepare }] of Object.entries(pages)) {
    const missing = needs.filter((program) => !(program === 'go' ? hasGo : hasProgram(program)));
    const title = `run as they are written: ${page}${needs.length === 0 ? '' : ` (needs ${needs.join(', ')})`}`;
    it.skipIf(missing.length > 0 || !hasProgram('bash'))(
      title,
      async () => {
        const result = await runPage(page, await prepare());

        expect(result.code, result.stdout + result.stderr).toBe(0);
      },
      5 * minutes,
    );
  }

  it('are on no page without a test', async () => {
    const withCommands = [];
    for (const page of everyPage) if ((await commandsOf(page)).length > 0) withCommands.push(page);

    expect(withCommands.toSorted()).toEqual(
      ['README.md', ...Object.keys(pages), ...Object.keys(ranElsewhere)].toSorted(),
    );
  });

  it.each(Object.entries(ranElsewhere))('of %s are run where the table says', async (page, { test, by }) => {
    const text = await readFile(join(productDir, test), 'utf8');

    for (const command of await commandsOf(page)) {
      if (command !== 'npx -y pnpm@10 serve --help') expect(text, command).toContain(by(command));
    }
  });

  it('of the README are run by a flow, by CI, or on another page', async () => {
    const flow = await readFile(join(productDir, 'test/slow/main-job.test.ts'), 'utf8');
    const ci = await readFile(join(productDir, '.ci/run'), 'utf8');
    const onPages = (await Promise.all(Object.keys(pages).map(commandsOf))).flat();

    for (const command of await commandsOf('README.md')) {
      if (command === 'npx -y pnpm@10 start') expect(flow).toContain('readmeStart');
      else if (command === 'npx -y pnpm@10 test') expect(ci).toContain(command);
      else expect(onPages.includes(command) || flow.includes(`'${command}'`), command).toBe(true);
    }
  });

  it('are in blocks that are marked as shell', async () => {
    for (const page of everyPage) {
      const text = await readFile(join(productDir, page), 'utf8');
      for (const line of fencedBlocks(text, '').flatMap((block) => block.split('\n'))) {
        if (!/\b(npx|pnpm|node) |^(cosign|docker|gh|git|curl|tar) /.test(line)) continue;
        const excuse = Object.keys(notRun).find((program) => line.includes(program));
        // the second line of systemd-run
        expect(
          excuse ?? (line.startsWith('  -E ') ? 'systemd-run' : undefined),
          `${page}: ${line}`,
        ).toBeDefined();
      }
    }
  });

  it('are scripts of package.json, each main.ts with the verb', async () => {
    const { scripts } = JSON.parse(await readFile(join(productDir, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const page of everyPage) {
      for (const command of await commandsOf(page)) {
        const [, verb] = /npx -y pnpm@10 (?:--silent )?(\S+)/.exec(command) ?? [];
        if (verb !== undefined) expect(scripts[verb], command).toBe(`tsx main.ts ${verb}`);
      }
    }
  });

  it('have a script for each verb of the program', async () => {
    const { scripts } = JSON.parse(await readFile(join(productDir, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const verb of Object.keys({ ...productVerbs, ...checkoutVerbs })) {
      expect(scripts[verb], verb).toBe(`tsx main.ts ${verb}`);
    }
  });

  it("of the operator's guide list every setting", async () => {
    expect(await commandsOf('docs/operate/README.md')).toContain('npx -y pnpm@10 serve --help');

    const help = await cli({}, 'serve', '--help');

    expect(help.code).toBe(0);
    for (const setting of [
      'PORT',
      'DATA_DIR',
      'PUBLIC_URL',
      'TLS_CERT_FILE',
      'READ_AUTH',
      'MAX_PACKAGE_BYTES',
    ]) {
      expect(help.stdout).toContain(setting);
    }
  });
});
