import { Command, InvalidArgumentError } from 'commander';
import { hiddenCharacters } from '../../../formats/hidden-characters.ts';
import type { Invocation } from '../../../invocation.ts';
import { createHttp } from '../../../outbound/http.ts';
import { loadConfig } from '../../config.ts';
import { fail } from '../../errors.ts';
import { findServer } from '../../server-file.ts';
import { configHelp } from '../../settings.ts';
import { checks } from './checks.ts';
import { findInstances } from './instances.ts';
import { type Result, runChecks } from './run-checks.ts';

type Flags = { readonly json: boolean; readonly alertmanager?: string };

/** The verb `feed:doctor`: what is wrong with a running installation, and what to do about it (contract section 12). */
export function createCommand(invocation: Invocation): Command {
  return new Command('feed:doctor')
    .description(
      'Checks a running installation from outside (PUBLIC_URL) and inside, one line each with what to do. Exit 5: something needs attention.',
    )
    .option('--json', 'one JSON object per line', false)
    .option(
      '--alertmanager <url>',
      'send a test alert through this Alertmanager, and measure how long it takes to arrive',
      readAddress,
    )
    .addHelpText('after', `${help}\n${configHelp()}`)
    .action((flags: Flags) => examine(invocation, flags));
}

const help = `
Run it with the settings of serve, where the server runs. It changes nothing that is published, and sends no key to PUBLIC_URL.
Each check: docs/operate/doctor.md. A nightly job: docs/ci.
`;

const nameWidth = Math.max(...checks.map(({ name }) => name.length));

async function examine(invocation: Invocation, { json, alertmanager }: Flags): Promise<void> {
  const { env, stdout, signal, version } = invocation;
  const config = loadConfig(env);
  const server = findServer(config.dataDir);
  const http = createHttp({ userAgent: `go-win-tools/${version} doctor` }).extend({
    followRedirect: false,
    https: { rejectUnauthorized: false },
  });
  const place = {
    config,
    publicUrl: config.publicUrl ?? server?.url ?? `http://${config.host}:${config.port}`,
    server,
    instances: () => findInstances(config.databaseUrl, server),
    version,
    env,
    http,
    alertmanager,
    now: () => new Date(),
  };
  let count = 0;
  for await (const result of runChecks(checks, place, signal)) {
    if (result.state === 'fail' || result.state === 'warn') count += 1;
    stdout.write(json ? `${JSON.stringify(result)}\n` : lineOf(result));
  }
  if (signal.aborted) fail('INTERRUPTED', { state: 'nothing was changed.' });
  if (count > 0) fail('DOCTOR_FINDINGS', { count });
}

/** `fail  tls          the certificate has expired - renew it` */
function lineOf({ state, check, says, todo }: Result): string {
  const text = [says, todo].filter((part) => part !== undefined).join(' - ');
  return `${state.padEnd(4)}  ${check.padEnd(nameWidth)}  ${text.replace(hiddenCharacters, ' ')}\n`;
}

function readAddress(text: string): string {
  const isAddress = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  if (!isAddress) throw new InvalidArgumentError('Expected an address such as http://127.0.0.1:9093.');
  return text.replace(/\/+$/, '');
}
