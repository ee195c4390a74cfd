import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import * as z from 'zod';
import { asInterruption, Ended } from '../errors/ended.ts';
import { fail } from '../errors/release-error.ts';
import { forTerminal } from '../formats/for-terminal.ts';
import { faultsInWords, readYaml } from '../formats/yaml-file.ts';
import type { Invocation } from '../invocation.ts';
import { generatorConfigHelp } from '../manifest-gen/settings/config.ts';
import { readToolsOf } from '../manifest-gen/verbs/run/toolkit.ts';
import { withFeed } from '../manifest-gen/verbs/run/with-feed.ts';
import { checkFeed } from './check-feed.ts';
import { checkFiles } from './check-files.ts';
import { checkImages, type ImageKind, imageKinds } from './check-images.ts';
import { findingsMarkdown, findingsText } from './check-report.ts';
import { checkVulnerabilities } from './check-vulnerabilities.ts';
import { checkWritten } from './check-written.ts';
import type { Finding } from './finding.ts';
import { openToolkit } from './open-toolkit.ts';
import { declarationFile, readRepository } from './repository.ts';

type Flags = {
  readonly sbom?: readonly string[];
  readonly size?: ReadonlyMap<ImageKind, number>;
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly toJson?: string;
};

/** The verb `devbox:check` (contract section 11). */
export function createCommand(invocation: Invocation): Command {
  const { stdout, stderr, signal } = invocation;
  return new Command('devbox:check')
    .description(
      'Checks a repository of devbox:create: its files, its tools against the feed, its images. Exit 5: there is something to do.',
    )
    .argument('[dir]', 'the folder of the repository', '.')
    .option('--sbom <file...>', 'CycloneDX files (JSON): what is in them is looked up in VULN_DB, too')
    .addOption(
      new Option(
        '--size <image=bytes>',
        'the size of a built image, linux or windows, against its limit; can be repeated',
      ).argParser(readSize),
    )
    .addOption(new Option('--json', 'one JSON object on stdout').conflicts('markdown'))
    .option('--markdown', 'a page for an issue or the summary of a job, on stdout')
    .addOption(
      new Option('--to-json <file>', 'only: prints a YAML file as JSON').conflicts([
        'sbom',
        'markdown',
        'json',
      ]),
    )
    .addHelpText('after', help)
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    })
    .action((dir: string, flags: Flags) =>
      (flags.toJson === undefined
        ? check(invocation, resolve(invocation.cwd, dir), flags)
        : toJson(invocation, flags.toJson)
      ).catch((error: unknown) => {
        throw asInterruption(error, signal, 'Nothing was changed');
      }),
    );
}

const help = `
Examples:
  pnpm devbox:check ../devbox
  pnpm --silent devbox:check ../devbox --markdown --sbom image.cdx.json --size linux=18400000
  pnpm --silent devbox:check --to-json ../devbox/config/machine.yaml > ../devbox/config/machine.json

What it looks for: docs/devbox/README.md.

${generatorConfigHelp('all', { FEED_URL: 'the one that devbox.yaml names' })}`;

/** @throws Ended with 5 when there is something to do; ReleaseError */
async function check(invocation: Invocation, dir: string, flags: Flags): Promise<void> {
  const { stdout, stderr, cwd, productDir } = invocation;
  const found = await readRepository(dir);
  if (found === undefined) return fail('DEVBOX_MISSING', { dir, file: declarationFile });
  const toolkit = openToolkit(invocation, found.declaration.feed, { isQuiet: true, isReadOnly: true });
  const { tools } = await readToolsOf(toolkit);
  const sboms = (flags.sbom ?? []).map((file) => ({ name: basename(file), path: resolve(cwd, file) }));
  // a feed that only the repository names must not have other hosts asked
  const only = invocation.env.FEED_URL ? undefined : new URL(found.declaration.feed).origin;
  const notes: string[] = [];
  const findings: Finding[] = [...(await checkFiles(dir, productDir))];
  if (found.lock === undefined)
    findings.push({
      about: 'devbox.lock.json',
      kind: 'stale',
      what: 'it is missing, or was changed by hand',
      next: 'Run `devbox:create`, with `--force` if you do not want the change.',
    });
  else findings.push(...(await checkWritten(invocation, dir, found.declaration, found.lock, notes)));
  findings.push(...checkImages(found.declaration, flags.size ?? new Map()));
  await withFeed(toolkit, async (toolkit) => {
    findings.push(...(await checkFeed(toolkit, found, tools, notes)));
    const { scanner } = toolkit;
    if (scanner === undefined) notes.push('VULN_DB is not set: known vulnerabilities are not looked up');
    else findings.push(...(await checkVulnerabilities({ ...toolkit, scanner }, found, tools, sboms, only)));
  });
  if (flags.json) stdout.write(`${JSON.stringify({ findings, notes })}\n`);
  else if (flags.markdown) stdout.write(findingsMarkdown(findings, notes));
  else stdout.write(findingsText(findings));
  if (!flags.json) for (const note of notes) stderr.write(`warning: ${forTerminal(note)}\n`);
  if (findings.length > 0)
    throw new Ended(findings.length === 1 ? '1 thing to do.' : `${findings.length} things to do.`, 5);
}

const maxBytes = 1024 * 1024;

/** @throws ReleaseError DEVBOX_INVALID */
async function toJson({ cwd, stdout }: Invocation, file: string): Promise<void> {
  const refuse = (problems: string): never => fail('DEVBOX_INVALID', { file, problems });
  const text = await readFile(resolve(cwd, file), 'utf8').catch((error: NodeJS.ErrnoException) =>
    refuse(error.code === 'ENOENT' ? 'there is no such file' : error.message),
  );
  if (text.length > maxBytes) refuse(`it is longer than ${maxBytes} bytes`);
  const read = readYaml(text, z.unknown(), ({ path, message }) => [{ path, problem: message }]);
  if ('faults' in read) return refuse(faultsInWords(read.faults));
  stdout.write(`${JSON.stringify(read.value, null, 2)}\n`);
}

function readSize(text: string, before: Flags['size']): ReadonlyMap<ImageKind, number> {
  const [, name, bytes] = /^(\w+)=(\d{1,15})$/.exec(text) ?? [];
  const kind = imageKinds.find((one) => one === name);
  if (kind === undefined || bytes === undefined)
    throw new InvalidArgumentError('A size is linux=BYTES or windows=BYTES.');
  return new Map([...(before ?? []), [kind, Number(bytes)]]);
}
