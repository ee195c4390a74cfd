import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createCommand as createBackup } from '../../server/verbs/backup.ts';
import { mainJs } from '../kit/main-js.ts';
import { runVerb } from '../kit/operator-fixture.ts';
import { hasProgram, run } from '../kit/programs.ts';
import { expectCleanUnits } from '../kit/systemd.ts';
import { makeTempDir, productDir, startTestServer, type TestServer } from '../kit/test-server.ts';

type GithubJob = {
  readonly jobs: { readonly doctor: { readonly steps: readonly { readonly run: string }[] } };
};
type GitlabJob = { readonly doctor: { readonly script: readonly string[] } };

const readJob = async (name: string): Promise<unknown> =>
  parse(await readFile(join(productDir, 'docs', 'ci', name), 'utf8'));

/** The nightly jobs as their runners would run them: the same scripts in the same shell, with the program of this checkout. */
describe.skipIf(!['bash', 'jq'].every(hasProgram))(
  'the nightly doctor in docs/ci (needs bash and jq)',
  () => {
    let dir: string;
    let server: TestServer;
    beforeAll(async () => {
      dir = await makeTempDir();
      const { version } = JSON.parse(await readFile(join(productDir, 'package.json'), 'utf8'));
      server = await startTestServer({ server: { version } });
      await runVerb(createBackup, server.dataDir, join(dir, 'feed.tar'));
      await mkdir(join(dir, 'bin'));
      // pnpm's part is to find the verb, and with --silent to say nothing itself.
      const pnpm = `#!/bin/sh\ntest "$1" = --silent && shift && exec '${process.execPath}' '${mainJs}' "$@"\n`;
      await writeFile(join(dir, 'bin', 'pnpm'), pnpm, { mode: 0o755 });
    });
    afterAll(async () => {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    });

    /** With -e and pipefail, as GitHub starts `shell: bash`; GitLab's script says that itself. */
    async function runSteps(steps: readonly string[], publicUrl: string) {
      const settings = join(dir, 'feed settings');
      await writeFile(settings, `DATA_DIR='${server.dataDir}'\nPUBLIC_URL=${publicUrl}\n`);
      const env = {
        PATH: `${join(dir, 'bin')}${delimiter}${process.env.PATH}`,
        FEED_PROGRAM: productDir,
        FEED_SETTINGS: settings,
        ALERTMANAGER_URL: '',
        RUNNER_TEMP: dir,
        GITHUB_STEP_SUMMARY: join(dir, 'summary.md'),
        CI_PROJECT_DIR: dir,
      };
      await rm(env.GITHUB_STEP_SUMMARY, { force: true });
      const codes: number[] = [];
      let stdout = '';
      for (const step of steps) {
        const ended = await run('bash', ['--noprofile', '--norc', '-e', '-o', 'pipefail', '-c', step], {
          env,
        });
        codes.push(ended.code);
        stdout += ended.stdout;
      }
      return { codes, stdout, summary: await readFile(env.GITHUB_STEP_SUMMARY, 'utf8').catch(() => '') };
    }
    const nowhere = 'http://127.0.0.1:1';
    const header = '| | check | found | to do |\n| --- | --- | --- | --- |\n';

    it('passes on GitHub when all is well, and fails with a table of what is not', async () => {
      const { jobs } = (await readJob('doctor-github.yml')) as GithubJob;
      const steps = jobs.doctor.steps.map((step) => step.run);

      expect(await runSteps(steps, server.publicUrl)).toEqual({ codes: [0, 0], stdout: '', summary: header });
      const ill = await runSteps(steps, nowhere);
      expect(ill.codes).toEqual([5, 0]);
      expect(ill.summary).toMatch(
        /\n\| fail \| public-url \| nobody answers at http:\/\/127\.0\.0\.1:1: .* \| correct PUBLIC_URL, .* \|\n$/,
      );
    });

    it('passes on GitLab when all is well, and fails with a line for each fault', async () => {
      const { doctor } = (await readJob('doctor-gitlab.yml')) as GitlabJob;

      expect(await runSteps(doctor.script, server.publicUrl)).toMatchObject({ codes: [0], stdout: '' });
      const ill = await runSteps(doctor.script, nowhere);
      expect(ill.codes).toEqual([5]);
      expect(ill.stdout).toMatch(
        /^fail {2}public-url {2}nobody answers at http:\/\/127\.0\.0\.1:1: .* - correct .*\n$/,
      );
      expect(await readFile(join(dir, 'doctor.jsonl'), 'utf8')).toContain('"check":"settings","state":"ok"');
    });
  },
);

describe.skipIf(!hasProgram('systemd-analyze'))(
  'docs/operate/doctor.md and its units (needs systemd-analyze)',
  () => {
    it('are clean to systemd', async () => {
      const dir = await makeTempDir();
      const page = await readFile(join(productDir, 'docs', 'operate', 'doctor.md'), 'utf8');
      const units = [...page.matchAll(/```ini\n(?:# \S+\/(\S+)\n)?([^`]+)```/g)];
      expect(units.length).toBe(2);
      const names = ['go-win-tools-doctor.service', 'go-win-tools-doctor.timer'];
      for (const [at, [, , text = '']] of units.entries()) {
        const unit = text.replace(/^ExecStart=\S+ \S+/m, `ExecStart=${process.execPath} ${mainJs}`);
        await writeFile(join(dir, names[at] ?? ''), unit);
      }

      await expectCleanUnits(
        'go-win-tools-doctor',
        names.map((name) => join(dir, name)),
      );
      await rm(dir, { recursive: true, force: true });
    });
  },
);
