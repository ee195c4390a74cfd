import { setTimeout as delay } from 'node:timers/promises';
import { hideCredentials } from '../../../formats/hide-credentials.ts';
import { inShort } from '../../../formats/thrown.ts';
import { type Check, type Finding, failed, type Place, skip } from './check.ts';

export type Result = Finding & { readonly check: string };

const usualLimitMs = 15_000;

/**
 * Looks at one thing after the other, and never longer at one than its limit, so that a server that hangs does not hang whoever asks
 * what is wrong with it.
 */
export async function* runChecks(
  checks: readonly Check[],
  place: Omit<Place, 'signal'>,
  signal: AbortSignal,
): AsyncGenerator<Result> {
  const missing = new Set<string>();
  for (const check of checks) {
    if (signal.aborted) return;
    const needs = typeof check.needs === 'function' ? check.needs(place) : check.needs;
    const lacking = needs?.find((name) => missing.has(name));
    const finding =
      lacking === undefined
        ? await lookInTime(check, place, signal)
        : skip(`not checked, since ${lacking} failed`, `see ${lacking}`);
    if (finding.state === 'fail' || lacking !== undefined) missing.add(check.name);
    yield { check: check.name, ...withoutSecrets(finding) };
  }
}

async function lookInTime(check: Check, place: Omit<Place, 'signal'>, signal: AbortSignal): Promise<Finding> {
  const { limitMs = usualLimitMs } = check;
  const end = new AbortController();
  const isOver = AbortSignal.any([signal, end.signal]);
  const tooLong = delay(limitMs, undefined, { signal: isOver }).then(
    () =>
      failed(
        `no answer within ${limitMs / 1000} s`,
        'find out what is slow or hangs there: the log of the server, the network',
      ),
    () => skip('interrupted'),
  );
  const look = check
    .look({ ...place, signal: isOver })
    .catch((error: unknown) => failed(inShort(error), hintOf(error)));
  try {
    return await Promise.race([look, tooLong]);
  } finally {
    end.abort();
  }
}

function hintOf(error: unknown): string {
  const hint = error instanceof Error && 'hint' in error ? error.hint : undefined;
  return typeof hint === 'string' ? hint : 'docs/operate/doctor.md says what this check needs';
}

/** Sentences of other programs may repeat an address with a password in it. */
function withoutSecrets({ state, says, todo }: Finding): Finding {
  const plain = (text: string): string => hideCredentials(text).replace(/\s+/g, ' ').trim();
  return { state, says: plain(says), ...(todo !== undefined && { todo: plain(todo) }) };
}
