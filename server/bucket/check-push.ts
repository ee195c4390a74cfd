import { isAbsolute, relative, resolve } from 'node:path';
import type { Payloads } from '../catalog/payloads.ts';
import { FeedError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Environment, Git } from './git-backend.ts';
import type { HookRequest, Verdict } from './hook-server.ts';
import type { PushCommands } from './push.ts';
import { type HeldOfTool, readPush } from './read-push.ts';
import { applyRules, type Fault } from './rules.ts';

export type CheckDeps = {
  readonly git: Git;
  readonly payloads: Pick<Payloads, 'find'>;
  readonly held: HeldOfTool;
  readonly publicUrl: () => string;
  readonly log: Logger;
};

const maxShown = 20;

/**
 * Decides about a push in quarantine: reads it, applies the rules, answers the pusher. `conclude` comes last, with the folder of
 * the pushed objects; it throws when the key has become invalid meanwhile, or when others do not agree.
 */
export async function checkPush(
  deps: CheckDeps,
  commands: PushCommands,
  question: HookRequest,
  conclude: (quarantine: Environment) => Promise<void>,
): Promise<Verdict> {
  const { git, payloads, held, publicUrl, log } = deps;
  const { pusher } = commands;
  try {
    const quarantine = quarantineOf(git, question);
    const payloadBase = `${publicUrl()}/dl/`;
    const faults = applyRules(await readPush({ git, quarantine, commands, payloads, held, payloadBase }));
    if (faults.length > 0) {
      return refuseFor(faults, commands, log);
    }
    await conclude(quarantine);
    log.info({ pusher: pusher.name, refs: refsOf(commands) }, 'push accepted');
    return { isAccepted: true, lines: [] };
  } catch (error) {
    if (error instanceof FeedError && error.status < 500) {
      log.info({ pusher: pusher.name, refs: refsOf(commands), code: error.code }, 'push refused');
      return refusal([error.message]);
    }
    log.error({ err: error }, 'push could not be checked');
    const isAway = error instanceof FeedError && error.status === 503;
    return refusal([
      isAway ? error.message : 'the server could not check the push; its log has the details.',
    ]);
  }
}

/** Reports the faults to the log and to the pusher. */
export function refuseFor(faults: readonly Fault[], commands: PushCommands, log: Logger): Verdict {
  const rules = [...new Set(faults.map(({ rule }) => rule))];
  log.info({ pusher: commands.pusher.name, refs: refsOf(commands), rules }, 'push refused');
  return refusal(faults.map(({ sentence }) => sentence));
}

function refsOf({ updates }: PushCommands): string[] {
  return updates.slice(0, maxShown).map(({ ref }) => ref);
}

function refusal(sentences: readonly string[]): Verdict {
  const shown = sentences.slice(0, maxShown);
  const rest = sentences.length - shown.length;
  return {
    isAccepted: false,
    lines: [
      'The bucket refuses this push; nothing was changed.',
      ...shown.map((sentence) => `- ${sentence}`),
      ...(rest > 0 ? [`- and ${rest} more`] : []),
    ],
  };
}

/**
 * git keeps pushed objects apart until the hook agrees, and passes the folder to the hook. A push without new objects (a tag on a
 * published commit) has none.
 */
function quarantineOf(git: Git, { objectDirectory, alternates, quarantine }: HookRequest): Environment {
  if (quarantine === '') {
    return {};
  }
  const inside = relative(resolve(git.dir, 'objects'), resolve(git.dir, objectDirectory));
  if (inside.startsWith('..') || isAbsolute(inside)) {
    throw new Error('the quarantine is outside of the repository');
  }
  return { GIT_OBJECT_DIRECTORY: objectDirectory, GIT_ALTERNATE_OBJECT_DIRECTORIES: alternates };
}
