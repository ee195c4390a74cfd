import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stepAside } from './write-shims.ts';

/** Part of every script of ours, in every version (templates/shim.cmd, shim.sh). */
const mark = 'PATH-priority shim of go-win-tools';

/**
 * Removes shims that an earlier run wrote and this one does not: a command that is no longer in the policy would otherwise stay
 * first in PATH. Other files stay.
 * @param commands those of this run
 * @returns the names of the removed files
 */
export async function removeLeftovers(dir: string, commands: readonly string[]): Promise<readonly string[]> {
  const names = new Set(await readdir(dir));
  const removed: string[] = [];
  for (const script of [...names].filter((name) => name.endsWith('.cmd')).sort()) {
    const command = script.slice(0, -'.cmd'.length);
    if (commands.includes(command) || !(await isOurs(join(dir, script)))) continue;
    const config = `${command}.shim.json`;
    const exe = `${command}.exe`;
    // An exe without its JSON is not our launcher.
    if (names.has(exe) && (await isLauncherText(join(dir, config)))) {
      await stepAside(join(dir, exe));
      await rm(join(dir, config));
      removed.push(exe, config);
    }
    if (names.has(command) && (await isOurs(join(dir, command)))) {
      await rm(join(dir, command));
      removed.push(command);
    }
    await rm(join(dir, script));
    removed.push(script);
  }
  return removed.sort();
}

async function isOurs(path: string): Promise<boolean> {
  return (await textOf(path)).slice(0, 500).includes(mark);
}

async function isLauncherText(path: string): Promise<boolean> {
  return /^\{\s*"schema": 1,\s*"tool": "/.test(await textOf(path));
}

function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
