import type { Finish } from '../plan/unfinished.ts';

/** A package of this product's own: its source is here, so that there is nothing to watch and no evidence to repeat. */
export type MadeHere = {
  readonly tool: string;
  /** Why the verbs for tools do not take it, and what to do instead. */
  readonly what: string;
  readonly hint: string;
  /** What tells whether there is something to publish. */
  readonly next: string;
  readonly finish: Finish;
};

export const madeHere: readonly MadeHere[] = [
  {
    tool: 'go-win-shims',
    what: 'its program is in this product, and it is made and published by `shims --publish`',
    hint:
      'What is there: `release:status`. Whether it is this set: `shims --publish main --dry-run`. To take a version back: unlist it (`nuget delete`), ' +
      'then `shims --publish beta` and `main` from a go-win-tools that has the good set, which becomes the next version.',
    next: '`shims --publish beta --dry-run` tells whether this go-win-tools has another set',
    finish: {
      release: () => '`shims --publish beta` of the go-win-tools that made it finishes the release',
      promotion: () => '`shims --publish main` of the go-win-tools that made it finishes the promotion',
      withdrawal: () =>
        '`shims --publish beta`, then `main`, of a go-win-tools that has a good set finish the withdrawal',
    },
  },
];
