import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { fail } from '../errors/release-error.ts';
import type { Invocation } from '../invocation.ts';
import { createReport, createToolkit, type VerbToolkit } from '../manifest-gen/verbs/run/toolkit.ts';
import { openOutDir } from '../system/out.ts';
import { buildProgram } from './build-program.ts';
import { type ProbeFile, type ProbeTexts, probePackage, probePrograms } from './probe.ts';
import { outcomeLine, publishOwn } from './publish.ts';
import { type PublishingFlags, publishingCommand } from './publishing-command.ts';

/** The verb `probe`: builds go-win-probe for each system, into a folder or as a package of the feed. */
export function createCommand(invocation: Invocation): Command {
  const command = new Command('probe')
    .description('Builds go-win-probe, which reports the health of an image or a developer machine.')
    .option('--out <dir>', 'writes the programs there. With --publish: keeps the exe in DIR/payloads');
  const publishes = 'instead of a folder: as the package go-win-probe';
  return publishingCommand(command, invocation, { publishes, help }, (flags) => makeProbe(invocation, flags));
}

const help = `
Examples:
  pnpm probe --out ./probe                     go-win-probe.exe, and the same for Linux images
  pnpm probe --publish beta                    on feed and branch beta, then --publish main
  pnpm probe --publish beta --dry-run          which version that would be

It needs Go. Settings: CACHE_DIR, SIGN_COMMAND (a program that signs the exe, {file}).
What the probe answers: docs/devbox/probe.md.`;

async function makeProbe(invocation: Invocation, flags: PublishingFlags): Promise<void> {
  const { cwd, stdout, version: product } = invocation;
  const { publish: channel, dryRun = false } = flags;
  if (channel === undefined && dryRun) fail('USAGE', { problem: '--dry-run needs --publish' });
  if (channel === undefined && flags.out === undefined)
    fail('USAGE', { problem: 'the option --out <dir> (or --publish) is missing' });
  const outDir = await openOutDir(cwd, flags.out);
  const toolkit = createToolkit(invocation, createReport(invocation, {}));
  const files = await buildAll(toolkit, invocation);
  if (channel === undefined) return writeAll(files, outDir ?? cwd, stdout);
  const own = probePackage(files, await readTexts(invocation.productDir));
  const chosen = await publishOwn(toolkit, own, product, channel, { dryRun, outDir });
  stdout.write(outcomeLine(own, chosen, channel, dryRun));
}

/** One after the other: each build uses all processors. */
async function buildAll(toolkit: VerbToolkit, { env }: Invocation): Promise<readonly ProbeFile[]> {
  const files: ProbeFile[] = [];
  for (const source of probePrograms) {
    const program = await buildProgram({ ...toolkit, signCommand: env.SIGN_COMMAND }, source);
    files.push({ ...program, file: source.file });
  }
  return files;
}

/** @throws ReleaseError OUT_UNUSABLE */
async function writeAll(
  files: readonly ProbeFile[],
  dir: string,
  stdout: NodeJS.WritableStream,
): Promise<void> {
  for (const { file, path, digest } of files) {
    await copyFile(path, join(dir, file)).catch((error: Error) =>
      fail('OUT_UNUSABLE', { dir, cause: error.message }, error),
    );
    stdout.write(`${file}  SHA-256 ${digest.sha256}\n`);
  }
}

async function readTexts(productDir: string): Promise<ProbeTexts> {
  const read = (name: string): Promise<string> => readFile(join(productDir, name), 'utf8');
  return { license: await read('LICENSE'), notices: await read('probe/THIRD-PARTY-NOTICES.txt') };
}
