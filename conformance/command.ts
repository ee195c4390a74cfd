import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { fileReason } from '../formats/file-reason.ts';
import type { Invocation } from '../invocation.ts';
import { type Level, levels } from './check.ts';
import { fail } from './errors.ts';
import { printFailure, printJson, printTable } from './report.ts';
import { chosen, type Result, runSuite, type Settings } from './suite.ts';
import { parseAddress } from './wire/address.ts';

type Flags = {
  readonly apiKey?: string;
  readonly apiKeyFile?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly json?: true;
  readonly quick?: true;
  readonly level: Level;
  readonly only: readonly string[];
  readonly package: readonly string[];
  readonly timeout: number;
};

const examples = `
Without a key it only reads, and checks with the packages on the feed. With a key it pushes some 330 small packages of
its own (--quick: 20), checks exactly, and unlists or deletes them at the end; unlisted ones stay in the feed's database.

The key may also be in CONFORMANCE_API_KEY, the password in CONFORMANCE_PASSWORD. For a feed whose certificate this machine
does not trust, NODE_EXTRA_CA_CERTS names the PEM file of its CA.

Examples:
  $ feed:conformance https://feed.corp/api/v2
  $ feed:conformance https://feed.corp/nuget --user reader --password-file ./password
  $ feed:conformance http://127.0.0.1:8080/nuget --api-key-file data/start.key
  $ feed:conformance https://feed.corp/api/v2 --only 9.7 --only search --level must
  $ feed:conformance https://feed.corp/api/v2 --json | jq 'select(.verdict == "failed")'

It fails when a must does not hold; a should that does not is only reported.`;

/** What the suite needs of it. */
type Part = Pick<Invocation, 'env' | 'stdout' | 'stderr' | 'signal'>;

export function createCommand(invocation: Part): Command {
  return new Command('feed:conformance')
    .description(
      'Checks any NuGet v2 feed as choco, nuget.exe and PowerShell see it: what holds, what does not, and which client would break.',
    )
    .argument('<feed-url>', "the feed's address, as you would give it to choco")
    .addOption(
      new Option('--api-key <key>', 'pushes its own packages and checks with them').conflicts('apiKeyFile'),
    )
    .option('--api-key-file <file>', 'the same, the key in a file')
    .option('--user <name>', 'user of Basic authentication')
    .option('--password-file <file>', 'its password in a file')
    .option('--quick', 'leaves out the 250 versions and 61 ids that test paging')
    .addOption(
      new Option('--level <level>', 'the lowest level that is checked').choices(levels).default('may'),
    )
    .option(
      '--only <section>',
      'a section (9.7), an area (paging) or a check (paging/top); repeatable',
      collect,
      [],
    )
    .option('--package <id>', 'check with this id; repeatable; for feeds that cannot be listed', collect, [])
    .option('--timeout <seconds>', 'time limit for one response', readSeconds, 30)
    .option('--json', 'one object per line on stdout, nothing else')
    .addHelpText('after', examples)
    .configureOutput({
      writeOut: (text) => invocation.stdout.write(text),
      writeErr: (text) => invocation.stderr.write(text),
    })
    .action((url: string, flags: Flags) =>
      run(invocation, readSettings(invocation, url, flags), flags.json === true),
    );
}

async function run({ stdout, stderr }: Part, settings: Settings, isJson: boolean): Promise<void> {
  const results: Result[] = [];
  const total = chosen(settings).length;
  if (total === 0) fail('USAGE', { problem: `--only ${settings.only.join(', ')} names no check.` });
  for await (const result of runSuite(settings)) {
    results.push(result);
    if (isJson) stdout.write(`${printJson(result)}\n`);
    if (results.length % 25 === 0) stderr.write(`${results.length} of ${total} checks ...\n`);
  }
  if (!isJson) {
    const failures = results.filter(({ outcome }) => outcome.verdict === 'failed').map(printFailure);
    stdout.write(`${[...failures, printTable(results)].join('\n\n')}\n`);
  }
  const hasBroken = results.some(
    ({ check, outcome }) => check.level === 'must' && outcome.verdict === 'failed',
  );
  process.exitCode = hasBroken ? 1 : 0;
}

function readSettings({ env, signal, stderr }: Part, url: string, flags: Flags): Settings {
  if (parseAddress(url) === undefined) fail('USAGE', { problem: `${url} is not an http or https address.` });
  // By this every client tells the two protocols apart.
  if (/\.json$/i.test(url))
    fail('USAGE', { problem: `${url} is a NuGet v3 address; give the v2 address of the same feed.` });
  const password =
    flags.passwordFile === undefined
      ? env.CONFORMANCE_PASSWORD
      : readSecret(flags.passwordFile, '--password-file');
  if (flags.user !== undefined && password === undefined)
    fail('USAGE', { problem: '--user needs --password-file.' });
  if (flags.user === undefined && flags.passwordFile !== undefined)
    fail('USAGE', { problem: '--password-file needs --user.' });
  const apiKey =
    flags.apiKeyFile === undefined
      ? (flags.apiKey ?? env.CONFORMANCE_API_KEY)
      : readSecret(flags.apiKeyFile, '--api-key-file');
  if (apiKey?.trim() === '') fail('USAGE', { problem: 'The key is empty.' });
  return {
    url,
    apiKey,
    credentials: flags.user === undefined ? undefined : { user: flags.user, password: password ?? '' },
    isQuick: flags.quick === true,
    level: flags.level,
    only: flags.only,
    packages: flags.package,
    timeoutMs: flags.timeout * 1000,
    signal,
    progress: (line) => void stderr.write(`${line}\n`),
  };
}

/** The file without its line end. */
function readSecret(path: string, option: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    return fail('SECRET_MISSING', { file: path, option, cause: fileReason(error) }, error);
  }
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  return seconds > 0 && seconds <= 3600
    ? seconds
    : fail('USAGE', { problem: `--timeout ${text}: expected seconds, 1 to 3600.` });
}
