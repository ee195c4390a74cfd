import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stepAside } from './write-shims.ts';

/** Part of every script of ours, in every version (templates/shim.cmd, shim.sh). */
const mark = 'PATH-priority shim of go-win-tools';

/**
 * Removes the shims that an earlier run wrote and this one does not have: a command that is no longer in the policy would
 * otherwise stay first in PATH. Files that are not ours stay.
 * @param commands those of this run
 * @returns the names of what was removed
 */
export async function removeLeftovers(dir: string, commands: readonly string[]): Promise<readonly string[]> {
  const names = new Set(await readdir(dir));
  const removed: string[] = [];
  for (const script of [...names].filter((name) => name.endsWith('.cmd')).sort()) {
    const command = script.slice(0, -'.cmd'.length);
    if (commands.includes(command) || !(await isOurs(join(dir, script)))) continue;
    const config = `${command}.shim.json`;
    const exe = `${command}.exe`;
    // an exe without its JSON beside it is not our launcher
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
