import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { usualTemp } from './use-disk.ts';

/** The program of another Node, from npm's cache or registry; undefined where neither has it. npx takes a second, and is asked once a run. */
export function nodePath(major: number): string | undefined {
  const answer = join(usualTemp, `node-${major}`);
  if (!existsSync(answer)) {
    const unfinished = `${answer}.${process.pid}`;
    writeFileSync(unfinished, askNpx(major) ?? '');
    renameSync(unfinished, answer);
  }
  return readFileSync(answer, 'utf8') || undefined;
}

function askNpx(major: number): string | undefined {
  const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx';
  const env = { ...process.env, npm_config_fetch_retries: '0', npm_config_prefer_offline: 'true' };
  const args = ['-y', `node@${major}`, '-p', 'process.execPath'];
  try {
    return execFileSync(npx, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
