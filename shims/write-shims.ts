import { randomUUID } from 'node:crypto';
import { chmod, copyFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDir } from '../formats/make-dir.ts';
import type { BuiltProgram } from '../own-packages/build-program.ts';
import { renderCmd } from './cmd-form.ts';
import { renderShimJson } from './exe-form.ts';
import type { ShimPlan } from './plan.ts';
import { renderSh } from './sh-form.ts';

export type Templates = { readonly cmd: string; readonly sh: string };

export async function readTemplates(productDir: string): Promise<Templates> {
  const read = (name: string): Promise<string> =>
    readFile(join(productDir, 'shims', 'templates', name), 'utf8');
  const trust = oneLine(await read('trust.ps1'));
  return {
    cmd: (await read('shim.cmd')).replace('TRUST', () => trust),
    sh: (await read('shim.sh')).replace('TRUST', () => trust.replaceAll("'", "'\\''")),
  };
}

/** Both scripts pass it to PowerShell as an argument. */
export function oneLine(script: string): string {
  const lines = script.split(/\r?\n/).map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#')).join(' ');
}

/** The files of all forms, by name; NAME.exe is the launcher, next to its NAME.shim.json. */
export function renderShims(plans: readonly ShimPlan[], { cmd, sh }: Templates): ReadonlyMap<string, string> {
  return new Map(
    plans.flatMap((plan) => [
      [`${plan.command}.cmd`, renderCmd(cmd, plan)],
      [plan.command, renderSh(sh, plan)],
      [`${plan.command}.shim.json`, renderShimJson(plan)],
    ]),
  );
}

/**
 * Writes the shims into a folder, over those of an earlier run; a caller meanwhile gets the old or the new one. On Windows, a
 * running exe cannot be replaced but can be renamed: it stays as NAME.exe.old-... until a later run can remove it (spec scoop 6).
 */
export async function writeShims(
  dir: string,
  plans: readonly ShimPlan[],
  templates: Templates,
  launcher: Pick<BuiltProgram, 'path'> | undefined,
): Promise<readonly string[]> {
  await makeDir(dir);
  const files = renderShims(plans, templates);
  const names: string[] = [];
  for (const { command } of plans) {
    const name = `${command}.exe`;
    const exe = join(dir, name);
    await removeOld(dir, name);
    if (launcher === undefined) {
      // Otherwise an old exe would keep the old policy.
      await stepAside(exe);
      continue;
    }
    // A copy under another name is the same program for a virus scanner.
    await copyFile(launcher.path, `${exe}.part`);
    await rename(`${exe}.part`, exe).catch(async () => {
      await stepAside(exe);
      await rename(`${exe}.part`, exe);
    });
    names.push(name);
  }
  for (const [name, text] of files) {
    if (launcher === undefined && name.endsWith('.shim.json')) continue;
    const part = join(dir, `${name}.part`);
    await writeFile(part, text);
    if (!name.includes('.')) await chmod(part, 0o755);
    await rename(part, join(dir, name));
    names.push(name);
  }
  return names.sort();
}

/** With a unique name, since the previous one may still be running too. */
export async function stepAside(exe: string): Promise<void> {
  const old = `${exe}.old-${randomUUID().slice(0, 8)}`;
  await rename(exe, old).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rm(old, { force: true }).catch(() => {});
}

/** If it cannot be removed, it is still running. */
async function removeOld(dir: string, name: string): Promise<void> {
  const old = (await readdir(dir)).filter((file) => file.startsWith(`${name}.old`));
  for (const file of old) await rm(join(dir, file), { force: true }).catch(() => {});
}
