/** One version as the feed shows it. */
export type Version = { readonly version: string; readonly isListed: boolean };

/** All versions of an id, the lowest first. */
export type State = readonly Version[];

/** What was done to one id, one change after the other. */
export type History = {
  readonly id: string;
  /** As it is once the change that is under way is done. */
  now(): State;
  /** Makes the change that leads to `next`. */
  change(next: State, make: () => Promise<void>): Promise<void>;
  /**
   * To be called before something is asked; the function that it returns is to be called with the answer. It gives all states that the
   * answer may show: that of the last change that was done before it was asked, and those of all changes that were begun since.
   */
  watch(): () => readonly State[];
};

export function createHistory(id: string): History {
  const states: State[] = [[]];
  let done = 0;
  return {
    id,
    now: () => states.at(-1) ?? [],
    async change(next, make) {
      states.push(next);
      await make();
      done = states.length - 1;
    },
    watch() {
      const first = done;
      return () => states.slice(first);
    },
  };
}

/** The one that clients install. */
export function latestOf(state: State): string | undefined {
  return state.findLast(({ isListed }) => isListed)?.version;
}
