import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goBuildsDir } from './go-builds.ts';
import { mustRun } from './programs.ts';
import type { Wine } from './wine.ts';

export type Place = {
  readonly repository: string;
  readonly home: string;
  readonly wine: Wine;
  /** The folder that is `C:\` there. */
  readonly drive: string;
  /** That of the stage which `COPY --from` copies from. */
  readonly from: string;
};
export type Stages = {
  /** Runs a stage after those that it is built on. */
  run(stage: string, place: Place): Promise<void>;
  /** What an instruction of a stage says, without options. */
  valueOf(stage: string, instruction: string): string;
};

type Step = { readonly name: string; readonly rest: string };

/**
 * Runs a Dockerfile for Windows here, as far as that goes: scripts of PowerShell by pwsh, Go by the real go, all else by cmd under wine.
 * @param args as `--build-arg` gives them
 */
export async function readStages(file: string, args: Readonly<Record<string, string>>): Promise<Stages> {
  const lines = (await readFile(file, 'utf8'))
    .replace(/`\n/g, '')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line));
  const stages = new Map<string, { readonly base: string; readonly steps: Step[] }>();
  const global = new Map<string, string>();
  let steps: Step[] | undefined;
  for (const line of lines) {
    const [, name = '', rest = ''] = /^([A-Z]+) +(.*)$/.exec(line) ?? [];
    const [, base = '', stage = ''] = name === 'FROM' ? (/^(\S+) AS (\S+)$/.exec(rest) ?? []) : [];
    if (stage !== '') {
      steps = [];
      stages.set(stage, { base, steps });
    } else if (steps === undefined) {
      for (const [key, value] of settings(rest)) global.set(key, value ?? '');
    } else steps.push({ name, rest });
  }
  const chain = (stage: string): readonly Step[] => {
    const found = stages.get(stage);
    return found === undefined ? [] : [...chain(found.base), ...found.steps];
  };
  return {
    valueOf(stage, instruction) {
      const step = chain(stage).findLast(({ name }) => name === instruction);
      return step?.rest.replace(/^.*?(?=\[)/, '') ?? '';
    },
    async run(stage, place) {
      const env = new Map<string, string>();
      let cwd = 'C:\\';
      for (const { name, rest } of chain(stage)) {
        if (name === 'WORKDIR') cwd = rest.replaceAll('/', '\\');
        const folder = onHost(cwd, place.drive);
        await mkdir(folder, { recursive: true });
        if (name === 'ENV') for (const [key, value] of settings(rest)) env.set(key, value ?? '');
        if (name === 'ARG')
          for (const [key, value] of settings(rest))
            env.set(key, args[key] ?? value ?? global.get(key) ?? env.get(key) ?? '');
        const known = (text: string) =>
          text.replace(/%(\w+)%|\$\{(\w+)\}/g, (_all, one, other) => env.get(one ?? other) ?? '');
        if (name === 'COPY') await copy(known(rest), folder, place);
        if (name === 'RUN')
          for (const command of known(rest).split(' && '))
            await runCommand(command.trim(), folder, env, place);
      }
    },
  };
}

/** `A=1 B=2` or `A B`. */
function settings(text: string): readonly (readonly [string, string | undefined])[] {
  return text.split(' ').map((word) => {
    const [key = '', ...value] = word.split('=');
    return [key, value.length === 0 ? undefined : value.join('=')] as const;
  });
}

function onHost(path: string, drive: string): string {
  return /^C:[\\/]/.test(path) ? join(drive, ...path.slice(3).split(/[\\/]/)) : path;
}

async function copy(rest: string, folder: string, { repository, drive, from }: Place): Promise<void> {
  const words = rest.split(' ').filter((word) => !word.startsWith('--'));
  const target = words.pop() ?? '';
  const to = target === './' ? folder : onHost(target, drive);
  for (const word of words) {
    if (rest.startsWith('--from=')) {
      await mkdir(join(to, '..'), { recursive: true });
      await cp(onHost(word, from), to, { recursive: true });
    } else {
      // Its patterns are those of a shell, and a folder means what is in it.
      const script =
        'for one in $1; do if [ -d "$one" ]; then cp -r "$one/." "$2"; elif [ -e "$one" ]; then cp "$one" "$2"; fi; done';
      await mustRun('sh', ['-c', script, 'sh', word, to], { cwd: repository });
    }
  }
}

async function runCommand(
  command: string,
  folder: string,
  env: ReadonlyMap<string, string>,
  { wine, drive, home }: Place,
): Promise<void> {
  const here = (text: string) => onHost(text.replaceAll('"', ''), drive);
  const [, script, line = ''] =
    /^powershell -NoProfile -ExecutionPolicy Bypass -File (\S+\.ps1)(.*)$/.exec(command) ?? [];
  if (script === 'path.ps1') {
    const key = 'HKLM\\System\\CurrentControlSet\\Control\\Session Manager\\Environment';
    const { stdout } = await wine.run('reg', ['query', key, '/v', 'PATH']);
    const [, before = ''] = /PATH\s+REG\w+\s+(.*?)\s*$/m.exec(stdout) ?? [];
    // What Windows keeps in its registry is a variable of the process here.
    const [, folders = ''] = /^ -First (\S+)$/.exec(line) ?? [];
    const call = `$env:PATH = '${before}'; & '${join(folder, script)}' -First '${folders}' -Scope Process`;
    const after = await mustRun('pwsh', ['-NoProfile', '-Command', call], { env: { HOME: home } });
    await wine.run('reg', ['add', key, '/v', 'PATH', '/t', 'REG_EXPAND_SZ', '/d', after.trim(), '/f']);
  } else if (script !== undefined) {
    const words = line.trim().split(' ').map(here);
    // The store of the machine is Windows' own; here it is that of the user.
    if (script === 'certificates.ps1') words.push('-Location', 'CurrentUser');
    const start =
      'function Start-Process([string] $FilePath, [string[]] $ArgumentList, [switch] $Wait, [switch] $PassThru) { $null = wine $FilePath @ArgumentList; [pscustomobject]@{ ExitCode = $LASTEXITCODE } }; ';
    const call = `& './${script}' ${words.map((word) => (word.startsWith('-') ? word : `'${word.replaceAll('\\', '/')}'`)).join(' ')}`;
    await mustRun('pwsh', ['-NoProfile', '-Command', `$ErrorActionPreference = 'Stop'; ${start}${call}`], {
      cwd: folder,
      env: { HOME: home, WINEPREFIX: join(drive, '..'), WINEDEBUG: '-all' },
    });
  } else if (command.startsWith('go ')) {
    const [call = '', output] = command.split(' > ');
    const args = splitGo(call).map(here);
    const target = args[0] === 'build' ? { GOOS: 'windows', GOARCH: 'amd64' } : {};
    const stdout = await mustRun('go', args, {
      cwd: folder,
      env: {
        GOCACHE: goBuildsDir,
        CGO_ENABLED: '0',
        GOFLAGS: env.get('GOFLAGS') ?? '',
        GOWORK: 'off',
        ...target,
      },
    });
    if (output !== undefined) await writeFile(here(output), stdout);
  } else {
    const result = await wine.run('cmd', ['/c', ...command.split(' ')], { cwd: folder });
    if (result.code !== 0)
      throw new Error(`${command} ended with ${result.code}\n${result.stdout}${result.stderr}`);
  }
}

/** The words of a call of go, one of which may have blanks in quotes. */
function splitGo(call: string): readonly string[] {
  return (call.match(/(?:[^\s"]+|"[^"]*")+/g) ?? []).slice(1).map((word) => word.replaceAll('"', ''));
}
