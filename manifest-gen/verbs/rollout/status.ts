import { Argument } from 'commander';
import { isOpen, listRollouts, type Rollout } from '../../published/feed/rollouts.ts';
import { readRequests } from '../run/request.ts';
import { verb } from '../run/run-verb.ts';
import { readToolsOf, type VerbToolkit } from '../run/toolkit.ts';
import { isMeant, openRollouts, readTarget } from './open-rollouts.ts';

export const statusCommand = verb({
  name: 'status',
  description:
    'Shows rollouts: state, step, which machines have the version, and what the next step waits for.',
  argument: new Argument(
    '[tool[@version]]',
    'all rollouts of one tool; no tool: the open ones, and the newest of each',
  ),
  flags: ['json', 'quiet'],
  examples: [
    'release:rollout status                         what is open, and the newest of each tool',
    '--silent release:rollout status delve --json   for machines',
  ],
  isReadOnly: true,
  isWithoutTools: true,
  async run({ args: [arg] }, toolkit) {
    const target = arg === undefined ? undefined : readTarget(arg);
    const feed = openRollouts(toolkit);
    const rollouts = await listRollouts(feed, target?.tool);
    if (target !== undefined && rollouts.length === 0) await requireTool(target.tool, toolkit);
    const meant = rollouts.filter((one) => isMeant(one, target?.version));
    const shown = target === undefined ? openOrNewest(rollouts) : meant;
    const notes = shown
      .filter(({ state }) => state === 'rolled-back')
      .map(({ tool, version }) => `feed:clients list --given ${tool}@${version} shows which machines had it`);
    toolkit.report.rollouts(shown, { isAsked: true, notes });
  },
});

/**
 * Rollouts are the server's: a folder of tools that cannot be read only leaves a misspelled name unnoticed.
 * @throws ReleaseError TOOL_UNKNOWN
 */
async function requireTool(tool: string, toolkit: VerbToolkit): Promise<void> {
  const folder = await readToolsOf(toolkit).catch(() => undefined);
  if (folder !== undefined && !folder.names.includes(tool)) readRequests([tool], folder.tools);
}

function openOrNewest(newestFirst: readonly Rollout[]): readonly Rollout[] {
  return newestFirst.filter(
    (rollout, at) => isOpen(rollout) || newestFirst.findIndex(({ tool }) => tool === rollout.tool) === at,
  );
}
