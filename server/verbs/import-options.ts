import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { fileReason } from '../../formats/file-reason.ts';
import type { ProxySettings } from '../../outbound/proxy.ts';
import { fail } from '../errors.ts';

/** The flags as they were typed. */
export type ImportFlags = {
  readonly id?: readonly string[];
  readonly newest?: number;
  readonly prerelease: boolean;
  readonly unlisted: boolean;
  readonly reserved?: true;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly parallel?: number;
  readonly dryRun?: true;
  readonly json?: true;
};

export function describeImport(command: Command): Command {
  return command
    .description(
      'Imports packages from a folder of nupkg files or from another NuGet feed (v2, or v3 by its index.json). ' +
        'Packages that are here already are left alone, so a run continues where the last one stopped.',
    )
    .argument(
      '<DIR|FEED_URL>',
      'a folder, searched to any depth, or the address that clients have as their source',
    )
    .option('--id <id>', 'only this id, or ids that match it (* and ?); repeatable', collect)
    .option('--newest <n>', 'only the newest n listed versions of each id', wholeNumber(1, 1_000_000))
    .option('--prerelease', 'prereleases too (the default)', true)
    .option('--no-prerelease', 'leave prereleases out')
    .option('--no-unlisted', 'leave unlisted versions out; by default they are imported as unlisted')
    .option(
      '--reserved',
      'also import ids in RESERVED_IDS, because the source has your own packages (default: they are refused)',
    )
    .option('--user <name>', 'for Basic authentication at the source')
    .option('--password-file <file>', 'a file that holds its password, or an API key')
    .option(
      '--parallel <n>',
      'how many packages at a time (32 from a folder, 8 from a feed)',
      wholeNumber(1, 64),
    )
    .option('--dry-run', 'only show what would be imported')
    .option('--json', 'one JSON object per line on stdout')
    .addHelpText('after', help);
}

const help = `
While a server uses the data folder, packages are pushed to it; otherwise they are written straight into the folder, which is faster. Versions that the source has unlisted are unlisted here too; download counts start at 0. Finally it names the imported packages whose scripts contain external addresses: installing these may download from there.

Settings (environment): DATA_DIR, MAX_PACKAGE_BYTES and RESERVED_IDS as for serve; HTTPS_PROXY, HTTP_PROXY, NO_PROXY and
NODE_EXTRA_CA_CERTS for reaching the source.`;

export type ImportSource =
  | { readonly kind: 'folder'; readonly dir: string }
  | { readonly kind: 'feed'; readonly url: URL };

/** The source of the import. Ends the command with 2 when the argument is neither a folder nor an address. */
export function readImportSource(command: Command, text: string, cwd: string): ImportSource {
  if (/^https?:\/\//i.test(text)) {
    const url = URL.canParse(text) ? new URL(text) : command.error(`error: not an address: ${text}`, usage);
    if (url.username !== '' || url.password !== '') {
      command.error('error: a password does not belong in an address; use --user and --password-file', usage);
    }
    return { kind: 'feed', url };
  }
  const dir = resolve(cwd, text);
  try {
    if (statSync(dir).isDirectory()) return { kind: 'folder', dir };
  } catch (error) {
    return fail('PLACE_MISSING', { place: dir, cause: fileReason(error) }, error);
  }
  return fail('PLACE_MISSING', { place: dir, cause: 'it is a file' });
}

export type Login = { readonly origin: string; readonly user: string; readonly password: string };

/** Ends the command with 2 when the flags do not go together or the file cannot be read. */
export function readLogin(
  command: Command,
  flags: ImportFlags,
  place: ImportSource,
  cwd: string,
): Login | undefined {
  const { user, passwordFile } = flags;
  if (user === undefined && passwordFile === undefined) return undefined;
  if (passwordFile === undefined || place.kind === 'folder') {
    return command.error('error: --user and --password-file go together, and with a FEED_URL', usage);
  }
  try {
    const password = readFileSync(resolve(cwd, passwordFile), 'utf8').replace(/\r?\n$/, '');
    // Servers that accept API keys as passwords ignore the name.
    return { origin: place.url.origin, user: user ?? 'import', password };
  } catch (error) {
    return fail('PASSWORD_MISSING', { file: passwordFile, cause: fileReason(error) }, error);
  }
}

/** In lower case too, like curl and npm. */
export function readProxy(env: Readonly<Record<string, string | undefined>>): ProxySettings {
  const read = (name: string) => env[name] || env[name.toLowerCase()] || undefined;
  return { httpsProxy: read('HTTPS_PROXY'), httpProxy: read('HTTP_PROXY'), noProxy: read('NO_PROXY') };
}

const usage = { exitCode: 2 };

function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value];
}

function wholeNumber(min: number, max: number) {
  return (text: string): number => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(number >= min && number <= max))
      throw new InvalidArgumentError(`Expected a number from ${min} to ${max}.`);
    return number;
  };
}
