/** Why a plan does what it does, or does nothing. In words: report/reasons.ts. */
export type Reason =
  /** Upstream's version is new here. */
  | { readonly code: 'new' }
  /** The newest of upstream's version differs from what would be made now. */
  | { readonly code: 'changed'; readonly version: string; readonly change: Change }
  /** The feed has the package, a branch does not offer it yet. */
  | { readonly code: 'unfinished'; readonly branch: 'main' | 'beta' }
  | { readonly code: 'offered'; readonly branch: 'main' | 'beta'; readonly version: string }
  | { readonly code: 'overtaken'; readonly version: string }
  | { readonly code: 'promoted' }
  | { readonly code: 'withdrawn'; readonly version: string }
  /** A withdrawal of upstream's version published the bytes of another one. */
  | {
      readonly code: 'taken back';
      readonly upstream: string;
      readonly version: string;
      readonly bytesOf: string;
    }
  | { readonly code: 'from'; readonly beta: string }
  /** A withdrawal: what becomes of a version, and what clients get after it. */
  | {
      readonly code: 'withdrawal';
      readonly bad: string;
      readonly isListed: boolean;
      readonly then:
        | { readonly onTop: string }
        | { readonly offered: string }
        /** There is no good version to go back to. */
        | undefined;
    };

/** What differs from the newest of upstream's version. */
export type Change =
  | { readonly code: 'no record' }
  | { readonly code: 'bytes of'; readonly version: string }
  /** In what upstream offers; `what` names it. */
  | { readonly code: 'files'; readonly what: string }
  | { readonly code: 'recipe' };
