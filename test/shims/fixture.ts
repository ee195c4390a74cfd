import {
  chmod,
  copyFile,
  link,
  mkdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BuiltProgram } from '../../own-packages/build-program.ts';
import { planShims } from '../../shims/plan.ts';
import { Policy } from '../../shims/policy.ts';
import { readTemplates, writeShims } from '../../shims/write-shims.ts';
import { productDir } from '../kit/test-server.ts';
import { type At, program, type Vector } from './vectors.ts';

export type Outcome = { readonly code: number; readonly stdout: Buffer; readonly stderr: string };
/** A folder on this machine, and how its platform writes what lies in it. */
export type Fixture = {
  readonly dir: string;
  readonly at: At;
  readonly program: string;
  readonly launcher?: BuiltProgram;
};

export const templates = await readTemplates(productDir);

/** Delve: tool and command have different names. What comes later in `files` was installed later. */
export async function buildFixture(
  { dir, at, program: tool, launcher }: Fixture,
  vector: Vector,
): Promise<void> {
  const policy = Policy.parse(
    (typeof vector.policy === 'function' ? vector.policy(at) : vector.policy) ?? {},
  );
  const plans = planShims([{ tool: 'delve', command: 'dlv', packageId: undefined }], policy, ['delve']);
  await writeShims(join(dir, 'shims'), plans, templates, launcher);
  for (const [path, content] of vector.files.flatMap((files) => Object.entries(files))) {
    const file = join(dir, path);
    await mkdir(dirname(file), { recursive: true });
    if (content === program) await link(tool, file).catch(() => copyFile(tool, file));
    else if (typeof content === 'object') await symlink(content.linkTo, file);
    else await writeFile(file, typeof content === 'function' ? content(at) : content);
  }
  for (const place of vector.open ?? []) await openToAll(join(dir, place));
  const written = vector.files.flatMap((files) => Object.keys(files)).filter((path) => isInstall.test(path));
  for (const [minute, path] of written.entries()) {
    const file = join(dir, path);
    for (const one of [file, dirname(file)]) await utimes(one, 0, 1_700_000_000 + 60 * minute);
  }
}

/** Wine makes an access list of the mode; the stand-ins for PowerShell know it by the file beside it. */
async function openToAll(place: string): Promise<void> {
  // the program is one file under many names
  if (!(await stat(place)).isDirectory()) {
    const bytes = await readFile(place);
    await rm(place);
    await writeFile(place, bytes);
  }
  await chmod(place, 0o777);
  await writeFile(`${place}.open`, '');
}

const isInstall = /install\.json$/;

export function environmentOf(at: At, { env }: Pick<Vector, 'env'>, path: string): Record<string, string> {
  const given = { USERPROFILE: at('profile'), ProgramData: at('data'), ...env?.(at), PATH: path };
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** What the stand-in said of how it was called (programs/probe.c, probe.sh). */
export function heard({ stdout }: Outcome) {
  const lines = stdout.toString('utf8').split('\n');
  const all = (key: string): string[] =>
    lines.flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
  const env = Object.fromEntries(
    all('env').map((entry) => {
      const end = entry.indexOf('=');
      return [entry.slice(0, end), entry.slice(end + 1)];
    }),
  );
  return { exe: all('exe')[0], args: all('arg'), line: all('line')[0], env };
}

/** A checkout that would like to have a say in what runs: nobody asks it. */
export async function plantTraps(dir: string, tool: string): Promise<void> {
  for (const path of [
    'dlv.exe',
    'dlv',
    'scoop/apps/delve/current/dlv.exe',
    'chocolatey/lib/delve/tools/dlv.exe',
  ]) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await copyFile(tool, join(dir, path));
  }
  await mkdir(join(dir, '.config', 'scoop'), { recursive: true });
  await writeFile(join(dir, '.config', 'scoop', 'config.json'), JSON.stringify({ root_path: dir }, null, 2));
  await writeFile(join(dir, 'dlv.shim.json'), '{"schema":1,"exe":"dlv.exe","prefer":"scoop"}');
}
