import { execFileSync } from 'node:child_process';

const found = new Map<number, string | undefined>();

/** The program of another Node, from npm's cache or registry; undefined where neither has it. */
export function nodePath(major: number): string | undefined {
  if (!found.has(major)) found.set(major, askNpx(major));
  return found.get(major);
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
