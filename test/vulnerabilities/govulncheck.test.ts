import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPrograms } from '../../formats/go-buildinfo.ts';
import { openDatabase } from '../../vulnerabilities/database.ts';
import { openFileTree } from '../../vulnerabilities/file-tree.ts';
import { findVulnerabilities } from '../../vulnerabilities/match.ts';
import { compose } from '../../vulnerabilities/modules.ts';
import { startGoProxy } from '../kit/go-proxy.ts';
import { hasProgram, mustRun, run } from '../kit/programs.ts';
import { testCacheDir } from '../kit/test-cache.ts';
import { makeTempDir } from '../kit/test-server.ts';
import { makeVuln, readVulnFixtures, type VulnEntry, writeVulnDb } from '../kit/vulndb.ts';

const minutes = 60_000;
const program = 'golang.org/x/vuln/cmd/govulncheck@v1.9.0';
const gobin = join(testCacheDir, 'govulncheck-1.9.0');

/** Go's own scanner, built once by the real go; a machine without its module proxy skips by name. */
const hasGovulncheck = hasProgram('go') && (await install());

async function install(): Promise<boolean> {
  if ((await run(join(gobin, 'govulncheck'), ['-version']).catch(() => undefined))?.code === 0) return true;
  return (await run('go', ['install', program], { env: { GOBIN: gobin, GOFLAGS: '' } })).code === 0;
}

describe('compared with govulncheck (needs go and its module proxy)', () => {
  let dir: string;
  let exe: string;
  let entries: readonly VulnEntry[];

  beforeAll(async () => {
    if (!hasGovulncheck) return;
    dir = await makeTempDir();
    exe = await buildGadget(dir);
    const [, goVersion = ''] = /go(1\.\d+(?:\.\d+)?)/.exec(await mustRun('go', ['version', exe])) ?? [];
    entries = [
      ...(await readVulnFixtures()),
      makeVuln('GO-2026-0001', 'example.test/dep', '1.2.4'),
      makeVuln('GO-2026-0002', 'example.test/dep', '1.2.3'),
      makeVuln('GO-2026-0003', 'example.test/gadget', undefined),
      makeVuln('GO-2026-0004', 'stdlib', `${goVersion}-0`),
      makeVuln('GO-2026-0005', 'stdlib', '1.999.0'),
    ];
  }, 5 * minutes);

  it.skipIf(!hasGovulncheck)(
    'finds the same ids, modules, found and fixed versions in a real exe (needs go and its proxy)',
    async () => {
      const tree = pathToFileURL(await writeVulnDb(join(dir, 'db'), entries)).href;
      const database = await openDatabase(await openFileTree(tree, join(dir, 'db')));
      const [found] = await readPrograms([{ architecture: 'amd64', path: exe }]);
      const composition = compose(found!.info!, undefined);
      const ours = findVulnerabilities(
        composition,
        await database.entriesFor(composition.modules),
        new Date(),
      );

      const theirs = await govulncheck(tree, exe);

      expect(
        ours.map(({ id, module, found: at, fixed = '' }) => `${id} ${module} ${at} ${fixed}`).sort(),
      ).toEqual(theirs);
      expect(theirs).toHaveLength(3);
    },
    2 * minutes,
  );
});

/** With a dependency, by the real go for windows/amd64. */
async function buildGadget(dir: string): Promise<string> {
  const proxy = await startGoProxy([
    {
      path: 'example.test/dep',
      version: 'v1.2.3',
      files: {
        'go.mod': 'module example.test/dep\n\ngo 1.21\n',
        'dep.go': 'package dep\n\nfunc Say() { println("hello") }\n',
      },
    },
    {
      path: 'example.test/gadget',
      version: 'v1.0.0',
      files: {
        'go.mod': 'module example.test/gadget\n\ngo 1.21\n\nrequire example.test/dep v1.2.3\n',
        'main.go': 'package main\n\nimport "example.test/dep"\n\nfunc main() { dep.Say() }\n',
      },
    },
  ]);
  try {
    const gopath = join(dir, 'gopath');
    const env = {
      ...proxy.env,
      GONOSUMDB: '*',
      GOFLAGS: '-modcacherw',
      GOENV: 'off',
      GOTOOLCHAIN: 'local',
      GOPATH: gopath,
      GOMODCACHE: join(gopath, 'mod'),
      CGO_ENABLED: '0',
      GOOS: 'windows',
      GOARCH: 'amd64',
    };
    await mustRun('go', ['install', '-trimpath', '-ldflags', '-s -w', 'example.test/gadget@v1.0.0'], {
      env,
      cwd: dir,
    });
    return join(gopath, 'bin', 'windows_amd64', 'gadget.exe');
  } finally {
    await proxy.stop();
  }
}

async function govulncheck(db: string, exe: string): Promise<readonly string[]> {
  const args = ['-mode=binary', '-scan=module', '-format=json', `-db=${db}`, exe];
  const { stdout } = await run(join(gobin, 'govulncheck'), args);
  return stdout
    .split(/\n(?=\{)/)
    .map(
      (text) =>
        JSON.parse(text) as {
          finding?: { osv: string; fixed_version?: string; trace: { module: string; version: string }[] };
        },
    )
    .flatMap(({ finding }) => (finding === undefined ? [] : [finding]))
    .map(
      ({ osv, fixed_version = '', trace }) =>
        `${osv} ${trace[0]?.module} ${trace[0]?.version} ${fixed_version}`,
    )
    .sort();
}
