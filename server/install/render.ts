import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export type InstallFacts = {
  /** The server's address as clients reach it; without a trailing slash. */
  readonly publicUrl: string;
  /** What needs a key to be read. */
  readonly readAuth: 'feed' | 'all' | undefined;
};

/** install.ps1 is made of these parts, in this order. */
const parts = [
  ...['begin', 'say', 'windows', 'trust', 'programs', 'web', 'key'],
  ...['chocolatey', 'scoop-config', 'git', 'scoop', 'path', 'run', 'end'],
];

/** Reads server/install/script of the product. */
export async function readInstallScript(productDir: string): Promise<{ ps1: string; cmd: string }> {
  const dir = join(productDir, 'server', 'install', 'script');
  const texts = await Promise.all(parts.map((part) => readFile(join(dir, `${part}.ps1`), 'utf8')));
  return { ps1: texts.join('\n'), cmd: await readFile(join(dir, 'install.cmd'), 'utf8') };
}

/** install.ps1 for one server: the same bytes on every machine, with Windows line ends. */
export function renderPowerShell(template: string, { publicUrl, readAuth }: InstallFacts): string {
  return fill(template, {
    "'{{PUBLIC_URL}}'": quotePowerShell(publicUrl),
    "'{{FEED_URL}}'": quotePowerShell(`${publicUrl}/nuget`),
    "'{{MAIN_BUCKET_URL}}'": quotePowerShell(`${publicUrl}/git/main/go-win-tools.git`),
    "'{{BETA_BUCKET_URL}}'": quotePowerShell(`${publicUrl}/git/beta/go-win-tools.git`),
    "'{{READ_AUTH}}'": quotePowerShell(readAuth ?? 'none'),
  });
}

/** install.cmd for one server: it runs exactly this `script`. */
export function renderCmd(template: string, { publicUrl }: InstallFacts, script: string): string {
  return fill(template, {
    '{{SCRIPT_URL}}': escapeSet(`${publicUrl}/install.ps1`),
    '{{SCRIPT_SHA256}}': hash('sha256', script),
  });
}

function fill(template: string, values: Readonly<Record<string, string>>): string {
  const filled = Object.entries(values).reduce(
    (text, [hole, value]) => text.split(hole).join(value),
    template,
  );
  return filled.replace(/\r?\n/g, '\r\n');
}

/** A PowerShell string without expansion; PowerShell treats curly quotes like plain ones, so all are doubled. */
function quotePowerShell(text: string): string {
  return `'${text.replace(/['\u2018-\u201b]/g, '$&$&')}'`;
}

/** Between the quotes of `set "NAME=..."` only `%` and `"` have a meaning; `%` is doubled, and addresses contain no `"`. */
function escapeSet(text: string): string {
  return text.replaceAll('"', '%22').replaceAll('%', '%%');
}
