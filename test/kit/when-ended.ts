import type { ChildProcess } from 'node:child_process';

export type End = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/**
 * How a child ends, and its output with it. To be asked for as soon as it is started: an end that nobody listens for is never told again,
 * and one by a signal leaves `exitCode` null.
 */
export function whenEnded(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
}
