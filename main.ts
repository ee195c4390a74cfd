#!/usr/bin/env node
/**
 * The only entry point: `main.ts VERB [ARGUMENT ...]`, behind every pnpm script and the `go-win-tools` bin. Only this file reads
 * the environment, writes to the terminal and decides the exit code (contract section 1).
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { CommanderError, Help, type Option } from 'commander';
import { exitCodesHelp } from './exit-codes.ts';
import { hideCredentials } from './formats/hide-credentials.ts';
import { faultOf } from './formats/thrown.ts';
import { checkoutVerbs, productVerbs } from './verbs.ts';

const isCheckout = existsSync(join(import.meta.dirname, 'dev'));
const verbs = new Map(Object.entries({ ...productVerbs, ...(isCheckout ? checkoutVerbs : {}) }));

for (const stream of [process.stdout, process.stderr]) {
  // A reader that has seen enough (`| head -1`) must not stop a release half-way.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

// Node would print all properties of the error, such as a request with its key.
process.on('uncaughtException', (error) => {
  console.error(faultOf(error));
  process.exit(1);
});

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const [name = '--help', ...rest] = args;
  const verb = verbs.get(name);
  if (verb === undefined) {
    return introduce(name);
  }
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // The second signal ends the process at once, so that a clean exit that hangs holds nobody up.
    process.once(signal, () => interruption.abort(signal));
  }
  try {
    const { createCommand } = await verb.load();
    for (const flag of verb.v8 ?? []) setFlagsFromString(flag);
    const productDir = findProductDir();
    const command = createCommand({
      env: process.env,
      stdout: process.stdout,
      stderr: process.stderr,
      productDir,
      cwd: process.cwd(),
      signal: interruption.signal,
      version: readVersion(productDir),
    });
    command.name(name).exitOverride().configureHelp({ optionDescription });
    command.addHelpText('afterAll', `${verb.help ?? ''}\n${exitCodesHelp()}`);
    await command.parseAsync(rest, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return explain(error);
  }
}

/** Defaults that mean "off" or "empty" are not shown: `(default: false)`, `(default: [])`. */
function optionDescription(option: Option): string {
  const { defaultValue: value } = option;
  const isPlain = typeof value === 'boolean' || (Array.isArray(value) && value.length === 0);
  return isPlain ? option.description : new Help().optionDescription(option);
}

function introduce(name: string): number {
  const isAsked = name === '--help' || name === '-h' || name === 'help';
  const lines = [...verbs].map(([verb, { does }]) => `  ${verb.padEnd(18)}${does}`);
  const usage = 'go-win-tools VERB [ARGUMENT ...]';
  const text = [usage, '', ...lines, '', exitCodesHelp(), '', 'VERB --help explains a verb.'].join('\n');
  if (name === '--version') {
    console.log(readVersion(findProductDir()));
    return 0;
  }
  if (isAsked) console.log(text);
  else
    console.error(
      `There is no verb ${name}. The verbs are ${[...verbs.keys()].join(', ')}.\n  \`--help\` says what each does.`,
    );
  return isAsked ? 0 : 2;
}

/** Errors for people have an `exitCode`, and often a `hint`; any other is a bug and shows its stack. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? 0 : 2;
  }
  if (error instanceof Error && 'exitCode' in error && typeof error.exitCode === 'number') {
    const hint = 'hint' in error && typeof error.hint === 'string' ? `\n  ${error.hint}` : '';
    console.error(hideCredentials(`${error.message}${hint}`));
    return error.exitCode;
  }
  console.error(faultOf(error));
  return 1;
}

/** The nearest parent folder with a package.json: the checkout for main.ts, the package for dist/main.js. */
function findProductDir(): string {
  let dir = import.meta.dirname;
  while (!existsSync(join(dir, 'package.json')) && dirname(dir) !== dir) {
    dir = dirname(dir);
  }
  return dir;
}

function readVersion(productDir: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(productDir, 'package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
}
