import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { fail, ReleaseError } from '../errors/release-error.ts';
import type { Invocation } from '../invocation.ts';
import {
  createReport,
  createToolkit,
  loadToolsOf,
  type VerbToolkit,
} from '../manifest-gen/verbs/run/toolkit.ts';
import { type BuiltProgram, buildProgram } from '../own-packages/build-program.ts';
import type { OwnChannel } from '../own-packages/next-version.ts';
import { outcomeLine, publishOwn } from '../own-packages/publish.ts';
import { type PublishingFlags, publishingCommand } from '../own-packages/publishing-command.ts';
import { openOutDir } from '../system/out.ts';
import { removeLeftovers } from './leftovers.ts';
import { launcherSource, shimsOf } from './package.ts';
import { otherCommands, planShims } from './plan.ts';
import { readPolicy } from './policy.ts';
import { readTemplates, writeShims } from './write-shims.ts';

type Flags = PublishingFlags & { readonly policy?: string; readonly tool?: readonly string[] };

/**
 * The verb `shims`: writes a folder to be put first in PATH, whose shims decide between the Chocolatey and the Scoop install of a
 * tool.
 */
export function createCommand(invocation: Invocation): Command {
  const command = new Command('shims')
    .description(
      'Writes PATH-priority shims, which pick the install of a tool by a policy, not by the order of PATH.',
    )
    .option(
      '--out <dir>',
      'the folder for the shims; put it first in PATH. With --publish: keeps the launcher in DIR/payloads',
    )
    .option(
      '--policy <file>',
      'YAML: prefer, pin, sandbox, deny and, under tools:, the same for one tool: see docs/shims',
    )
    .option('--tool <name...>', 'only these tools or commands of the policy');
  const publishes = 'instead of a folder: the default set, as the package go-win-shims';
  return publishingCommand(command, invocation, { publishes, help }, (flags: Flags) =>
    makeShims(invocation, flags),
  );
}

const help = `
Examples:
  pnpm shims --out ./shims                             a shim for every tool, the newest install runs
  pnpm shims --out ./shims --policy policy.yaml
  pnpm shims --out ./shims --tool buf
  pnpm shims --publish beta                            the default set on feed and branch beta, then --publish main
  pnpm shims --publish beta --dry-run                  which version that would be
  pnpm shims --publish beta --dry-run --out DIR        for PAYLOAD_PUT=false: the launcher, in DIR/payloads

For each command: NAME.exe (a small launcher, if the right Go is available), NAME.cmd and NAME for Git Bash.
Settings: TOOLS_DIR, CACHE_DIR, SIGN_COMMAND (a program that signs the launcher, {file}).
GO_WIN_TOOLS_EXPLAIN=1 NAME shows which installs a shim finds and which one it picks; GO_WIN_TOOLS_BYPASS=1 NAME runs
what PATH would have run without it.`;

async function makeShims(invocation: Invocation, flags: Flags): Promise<void> {
  if (flags.publish !== undefined) return publishDefault(invocation, flags, flags.publish);
  if (flags.dryRun) fail('USAGE', { problem: '--dry-run needs --publish' });
  const out = flags.out ?? fail('USAGE', { problem: 'the option --out <dir> (or --publish) is missing' });
  if (out.trim() === '') fail('USAGE', { problem: '--out names no folder' });
  const toolkit = createToolkit(invocation, createReport(invocation, {}));
  const { cwd, productDir, stdout, stderr, env } = invocation;
  const policy = flags.policy === undefined ? {} : await readPolicyFile(resolve(cwd, flags.policy));
  const tools = await loadToolsOf(toolkit);
  const plans = planShims(tools, policy, flags.tool);
  for (const name of otherCommands(tools, policy)) {
    stderr.write(`${name}: a command of the policy; the tools' folder has no tool of this name.\n`);
  }
  const templates = await readTemplates(productDir);
  const dir = resolve(cwd, out);
  const launcher = await launcherOrNone(toolkit, env.SIGN_COMMAND, stderr);
  const unusable = (error: NodeJS.ErrnoException): never =>
    fail('OUT_UNUSABLE', { dir, cause: error.message }, error);
  const names = await writeShims(dir, plans, templates, launcher).catch(unusable);
  stdout.write(`${names.join('\n')}\n`);
  // A run for some tools says nothing about the others.
  const commands = plans.map(({ command }) => command);
  const removed = flags.tool === undefined ? await removeLeftovers(dir, commands).catch(unusable) : [];
  if (removed.length > 0) stderr.write(`Removed files of an earlier run: ${removed.join(', ')}.\n`);
  if (launcher !== undefined)
    stderr.write(`Every .exe is the launcher with SHA-256 ${launcher.digest.sha256}.\n`);
  stderr.write(`Put ${dir} first in PATH. GO_WIN_TOOLS_EXPLAIN=1 NAME shows what a shim finds.\n`);
}

/** Without a policy, so that the default set decides nothing that a company would have to undo. */
async function publishDefault(invocation: Invocation, flags: Flags, channel: OwnChannel): Promise<void> {
  if (flags.policy !== undefined || flags.tool !== undefined) {
    fail('USAGE', { problem: '--publish uses the default set, without --policy and --tool' });
  }
  const { productDir, stdout, env, version: product, cwd } = invocation;
  const outDir = await openOutDir(cwd, flags.out);
  const toolkit = createToolkit(invocation, createReport(invocation, {}));
  const plans = planShims(await loadToolsOf(toolkit), {});
  const licenseText = await readFile(join(productDir, 'LICENSE'), 'utf8');
  const launcher = await buildProgram({ ...toolkit, signCommand: env.SIGN_COMMAND }, launcherSource);
  const { dryRun = false } = flags;
  const own = shimsOf({ plans, launcher, licenseText });
  const chosen = await publishOwn(toolkit, own, product, channel, { dryRun, outDir });
  stdout.write(outcomeLine(own, chosen, channel, dryRun));
}

async function readPolicyFile(file: string) {
  const text = await readFile(file, 'utf8').catch((cause: unknown) =>
    fail('POLICY_INVALID', { file, problems: 'it cannot be read' }, cause),
  );
  return readPolicy(text, file);
}

/** A batch file that starts another one without call never continues (docs/shims/README.md). */
const callAdvice = 'A batch file that runs one of these commands needs call: call buf lint';

/** Without the right Go there are only scripts (contract section 7), which are enough for most callers. */
async function launcherOrNone(
  toolkit: VerbToolkit,
  signCommand: string | undefined,
  stderr: NodeJS.WritableStream,
): Promise<BuiltProgram | undefined> {
  try {
    return await buildProgram({ ...toolkit, signCommand }, launcherSource);
  } catch (error) {
    if (!(error instanceof ReleaseError) || error.exitCode !== 4) throw error;
    stderr.write(`No .exe is made: ${error.message}\n${error.hint}\n${callAdvice}\n`);
    return undefined;
  }
}
