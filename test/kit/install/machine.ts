import { chmod, copyFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type InstallFacts, readInstallScript, renderPowerShell } from '../../../server/install/render.ts';
import { hasProgram, mustRun } from '../programs.ts';
import { makeTempDir, productDir } from '../test-server.ts';
import { runInPowerShell } from './host.ts';

const kit = import.meta.dirname;
/** All that a machine has besides what is faked: PowerShell reads every folder of the PATH, file by file, for each program that it looks for. */
const programs = 'git sh pwsh awk cat dirname grep ls mkdir readlink rm tr';

/** The fakes are scripts of sh, and on Windows they would stand beside the real registry. */
export const canFakeMachine = hasProgram('pwsh') && process.platform !== 'win32';

export type InstallRun = { readonly code: number; readonly said: string };
export type InstallStep = {
  /** PowerShell; `install` in it is the script. */
  readonly command: string;
  readonly env?: Readonly<Record<string, string | null>>;
};

/** A machine with Chocolatey and Scoop, and one user: fakes that write down what they were asked, and the real git. */
export type InstallMachine = {
  readonly dir: string;
  readonly paths: Readonly<Record<'choco' | 'chocoConfig' | 'scoop' | 'scoopConfig', string>>;
  /** The script of one server, as `install` or under another name. */
  serve(facts: InstallFacts, name?: string): Promise<void>;
  /** All in one session, one after the other. */
  runAll(steps: readonly InstallStep[]): Promise<readonly InstallRun[]>;
  run(parameters?: string, env?: InstallStep['env']): Promise<InstallRun>;
  /** What programs were asked since the last time. */
  asked(): Promise<readonly string[]>;
  registry(): Promise<Record<string, Record<string, string>>>;
  env: NodeJS.ProcessEnv;
  remove(): Promise<void>;
};

/** install.ps1 with fakes in place of what only Windows has. */
export async function renderForTests(facts: InstallFacts): Promise<string> {
  const { ps1 } = await readInstallScript(productDir);
  const real = await readFile(join(productDir, 'server/install/script/windows.ps1'), 'utf8');
  const fake = await readFile(join(kit, 'fake-windows.ps1'), 'utf8');
  if (!ps1.includes(real)) throw new Error('the part `windows` is not in install.ps1');
  const script = renderPowerShell(
    ps1.replace(real, () => fake),
    facts,
  );
  const person = "function Test-Person {\r\n  if ($env:FAKE_PERSON -eq 'yes') { return $true }";
  const shells = 'Join-Path $PSHOME $_';
  if (!script.includes(shells)) throw new Error('where scoop finds PowerShell is not in install.ps1');
  return script
    .replace(shells, 'Join-Path $(if ($env:FAKE_SHELLS) { $env:FAKE_SHELLS } else { $PSHOME }) $_')
    .replace('$Patience = 30', '$Patience = 3')
    .replace('function Test-Person {', () => person);
}

/** In a profile folder whose name has a blank, an apostrophe and an umlaut. */
export async function makeInstallMachine(): Promise<InstallMachine> {
  const top = await makeTempDir();
  const dir = join(top, "Jör O'Neill");
  const at = (path: string) => join(dir, path);
  const paths = {
    choco: at('choco'),
    chocoConfig: at('choco/config/chocolatey.config'),
    scoop: at('scoop'),
    scoopConfig: at('.config/scoop/config.json'),
  };
  for (const path of [
    'bin',
    'programs',
    'shells',
    'choco/bin',
    'choco/config',
    'scoop/apps/scoop/current/bin',
    '.config/scoop',
  ])
    await mkdir(at(path), { recursive: true });
  await writeFile(at('choco/bin/choco.exe'), `#!/bin/sh\nexec sh '${join(kit, 'fake-choco.sh')}' "$@"\n`);
  await chmod(at('choco/bin/choco.exe'), 0o755);
  await writeFile(at('shells/pwsh'), `#!/bin/sh\nexec sh '${join(kit, 'fake-scoop.sh')}' "$@"\n`);
  await chmod(at('shells/pwsh'), 0o755);
  await copyFile(join(kit, 'fake-scoop.ps1'), at('scoop/apps/scoop/current/bin/scoop.ps1'));
  const list = await mustRun('sh', ['-c', `for name in ${programs}; do command -v "$name"; done`]);
  const places = list.trim().split('\n');
  await symlink(places[0] ?? '', at('bin/git.exe'));
  for (const path of places) await symlink(path, join(at('programs'), basename(path)));
  await writeFile(at('.gitconfig'), '[credential]\n\thelper = store\n[init]\n\tdefaultBranch = main\n');
  await writeFile(at('asked.log'), '');
  const env: NodeJS.ProcessEnv = {
    HOME: dir,
    USERPROFILE: dir,
    PATH: `${at('bin')}:${at('programs')}`,
    ChocolateyInstall: paths.choco,
    GIT_CONFIG_NOSYSTEM: '1',
    FAKE_LOG: at('asked.log'),
    FAKE_REGISTRY: at('registry.json'),
    FAKE_ADMIN: 'yes',
    // Without it scoop runs in a PowerShell of its own, as it does on Windows.
    FAKE_SHELLS: at('shells'),
    RUNS: at('runs.json'),
    RESULTS: at('results.json'),
  };

  const machine: InstallMachine = {
    dir,
    paths,
    env,
    async serve(facts, name = 'install') {
      await writeFile(at(`${name}.ps1`), await renderForTests(facts));
    },
    async runAll(steps) {
      const install = `& "$HOME/install.ps1"`;
      const runs = steps.map(({ command, env: own = {} }) => ({
        command: command.replaceAll('install ', `${install} `),
        env: own,
      }));
      await writeFile(at('runs.json'), JSON.stringify(runs));
      await rm(at('results.json'), { force: true });
      const wrong = await runInPowerShell({ env, cwd: dir });
      const text = await readFile(at('results.json'), 'utf8').catch(() => '');
      if (text === '') throw new Error(`the driver did not end: ${wrong}`);
      return JSON.parse(text) as InstallRun[];
    },
    async run(parameters = '', own = {}) {
      const [only] = await machine.runAll([{ command: `install ${parameters}`, env: own }]);
      if (only === undefined) throw new Error('no run');
      return only;
    },
    async asked() {
      const lines = (await readFile(at('asked.log'), 'utf8')).split('\n').filter((line) => line !== '');
      await writeFile(at('asked.log'), '');
      return lines;
    },
    async registry() {
      const text = await readFile(at('registry.json'), 'utf8').catch(() => '{}');
      return JSON.parse(text);
    },
    remove: () => rm(top, { recursive: true, force: true, maxRetries: 5 }),
  };
  return machine;
}
