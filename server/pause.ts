import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long one piece of work may keep everybody else waiting. */
const heldMs = 5;

export type Pause = { isDue(): boolean; take(): Promise<void> };

/** Those who pause go on one at a time, each in a turn of the event loop of its own: twenty together would hold it twenty times as long. */
let lastTurn: Promise<void> = Promise.resolve();

/** For a long piece of work, between its parts: lets the others go on whenever it has held the thread for too long. */
export function createPause(): Pause {
  let since = performance.now();
  return {
    isDue: () => performance.now() - since >= heldMs,
    async take() {
      lastTurn = lastTurn.then(() => nextTurn());
      await lastTurn;
      since = performance.now();
    },
  };
}

/** Since when somebody works in the turn of the event loop that is under way. */
let turnBegan: number | undefined;
const waiting: Work[] = [];
type Work = (hasWaited: boolean) => void;

/**
 * Does a piece of work now, or in a later turn of the event loop where this one was held for too long already: forty pages that are
 * asked for at once would be made in one turn, and whoever only wants to know whether the server is alive would wait for all of them.
 */
export function inTurn(work: Work): void {
  if (waiting.length === 0 && !isSpent()) {
    work(false);
    return;
  }
  waiting.push(work);
  if (waiting.length === 1) setImmediate(() => void goOn());
}

/** The same for what goes on after it waited for something. */
export function itsTurn(): Promise<void> {
  return new Promise((resolve) => inTurn(() => resolve()));
}

function isSpent(): boolean {
  const now = performance.now();
  if (turnBegan === undefined) {
    turnBegan = now;
    setImmediate(() => {
      turnBegan = undefined;
    });
  }
  return now - turnBegan >= heldMs;
}

async function goOn(): Promise<void> {
  const began = performance.now();
  try {
    while (waiting.length > 0 && performance.now() - began < heldMs) await doFirst();
  } finally {
    if (waiting.length > 0) setImmediate(() => void goOn());
  }
}

/** It stays in the list until it is through, so that nobody overtakes it. */
async function doFirst(): Promise<void> {
  try {
    waiting[0]?.(true);
    // All that it does before it waits for something.
    await new Promise<void>((resolve) => process.nextTick(resolve));
  } finally {
    waiting.shift();
  }
}
