import { AsyncResource } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long work may go on in one turn of the event loop: the step under way then still ends, and nobody is to wait for 5 ms. */
const heldMs = 4;

export type Pause = { isDue(): boolean; take(): Promise<void> };

/**
 * Pausing tasks continue one at a time, each in its own turn of the event loop: twenty together would block it twenty times as
 * long.
 */
let lastTurn: Promise<void> = Promise.resolve();

/** When work began in the current turn of the event loop. */
let turnBegan: number | undefined;

/**
 * For the parts of a long piece of work: lets other work run whenever this turn of the event loop has taken too long. Whatever else was
 * done in the turn counts too, or finding, reading and rendering a page would each begin to count anew.
 */
export function createPause(): Pause {
  turnStart();
  return {
    isDue: isSpent,
    async take() {
      lastTurn = lastTurn.then(() => nextTurn());
      await lastTurn;
      turnBegan = undefined;
      turnStart();
    },
  };
}

const waiting: Work[] = [];
type Work = (hasWaited: boolean) => void;

/**
 * Runs a piece of work now, or in a later turn of the event loop if this one has been blocked for too long: otherwise forty pages
 * that are requested at once would be made in one turn, and a health check would wait for all of them.
 */
export function inTurn(work: Work): void {
  if (waiting.length === 0 && !isSpent()) {
    work(false);
    return;
  }
  // For tracing: it goes on in a turn that another request began. `AsyncResource.bind` takes microseconds more.
  const resource = new AsyncResource('inTurn');
  waiting.push((hasWaited) => resource.runInAsyncScope(work, undefined, hasWaited));
  if (waiting.length === 1) setImmediate(() => void goOn());
}

/** The same for work that continues after waiting for something. */
export function itsTurn(): Promise<void> {
  return new Promise((resolve) => inTurn(() => resolve()));
}

function isSpent(): boolean {
  return performance.now() - turnStart() >= heldMs;
}

/** Begins to count in a turn in which nothing has been done yet. */
function turnStart(): number {
  if (turnBegan === undefined) {
    turnBegan = performance.now();
    setImmediate(() => {
      turnBegan = undefined;
    });
  }
  return turnBegan;
}

async function goOn(): Promise<void> {
  const began = performance.now();
  try {
    while (waiting.length > 0 && performance.now() - began < heldMs) await doFirst();
  } finally {
    if (waiting.length > 0) setImmediate(() => void goOn());
  }
}

/** It stays in the list until it is done, so that nothing overtakes it. */
async function doFirst(): Promise<void> {
  try {
    waiting[0]?.(true);
    // Its synchronous part.
    await new Promise<void>((resolve) => process.nextTick(resolve));
  } finally {
    waiting.shift();
  }
}
