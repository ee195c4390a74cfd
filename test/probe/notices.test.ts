import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hasGo } from '../kit/exe.ts';
import { mustRun } from '../kit/programs.ts';
import { productDir } from '../kit/test-server.ts';

const source = join(productDir, 'probe');
const goMod = await readFile(join(source, 'go.mod'), 'utf8');
const [, toolchain] = /^toolchain (\S+)$/m.exec(goMod) ?? [];
const pinned = { ...process.env, GOTOOLCHAIN: toolchain };

/** Their licenses ask for it. After an upgrade in go.mod: run this test with -u. */
it.skipIf(!hasGo)(
  'the notices of go-win-probe are those of the modules in it (needs go and its module proxy)',
  async () => {
    const modules = new Map<string, string>();
    for (const os of ['windows', 'linux']) {
      const format = '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}';
      const list = await mustRun('go', ['list', '-deps', '-f', format, '.'], {
        cwd: source,
        env: { ...pinned, GOOS: os },
      });
      for (const line of list.split('\n').filter((line) => line !== '')) {
        const [name = '', dir = ''] = line.split('\t');
        modules.set(name, dir);
      }
    }
    // Of the toolchain that go.mod names, whichever is installed.
    const root = (await mustRun('go', ['env', 'GOROOT'], { cwd: source, env: pinned })).trim();
    modules.set("Go's standard library", root);

    const texts: string[] = [];
    for (const [name, dir] of [...modules].sort()) {
      const files = (await readdir(dir)).filter((file) => /^(LICENSE|NOTICE)/.test(file)).sort();
      expect(files, name).not.toEqual([]);
      for (const file of files) {
        const text = await readFile(join(dir, file), 'utf8');
        texts.push(`== ${name}, ${file}\n\n${text.replaceAll('\r\n', '\n').trim()}\n`);
      }
    }
    const said = 'go-win-probe contains these modules, under their own licenses.\n\n';
    await expect(said + texts.join('\n')).toMatchFileSnapshot(join(source, 'THIRD-PARTY-NOTICES.txt'));
  },
);
