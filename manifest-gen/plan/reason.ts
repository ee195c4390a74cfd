import type { EvidenceKind } from '../../formats/release-record.ts';
import type { FileChange } from './same-files.ts';

/** Why a plan does what it does, does nothing, or cannot be made. The sentences: report/reasons.ts. */
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
      readonly code: 'taken-back';
      readonly upstream: string;
      readonly version: string;
      readonly bytesOf: string;
    }
  | { readonly code: 'from'; readonly beta: string }
  /** A rollout is open: some machines have it. */
  | { readonly code: 'rolling'; readonly version: string; readonly state: string }
  /** A start: what machines go back to if it is taken back; undefined where main offers nothing. */
  | {
      readonly code: 'rollout';
      readonly beta: string;
      readonly back: { readonly version: string; readonly bytesOf: string } | undefined;
    }
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
    }
  /** A manifest names another base address. */
  | { readonly code: 'address'; readonly version: string; readonly from: string };

/** What differs from the newest of upstream's version. */
export type Change =
  | FileChange
  | { readonly code: 'no-record' }
  | { readonly code: 'bytes-of'; readonly version: string }
  | { readonly code: 'recipe' };

/** Why a beta cannot become stable. */
export type Refusal =
  | { readonly code: 'beta-withdrawn'; readonly beta: string }
  | { readonly code: 'stable-withdrawn' }
  /** Main offers something newer. */
  | { readonly code: 'going-back'; readonly main: string }
  | { readonly code: 'unrecorded-beta' }
  | { readonly code: 'failed-evidence'; readonly kind: EvidenceKind; readonly subject: string }
  /** A withdrawal put them there, in place of a beta or of a stable version. */
  | {
      readonly code: 'older-bytes';
      readonly beta: string;
      readonly bytesOf: string;
      readonly inPlaceOf: 'beta' | 'version';
    }
  /** The stable version exists, with other payloads, or by another program. */
  | { readonly code: 'other-payloads' | 'foreign-stable' };

/** Why a version is not one to go back to. */
export type Objection =
  | { readonly code: 'not-on-feed' | 'withdrawn-too' | 'foreign-version' | 'never-promoted' | 'not-ours' }
  | { readonly code: 'not-older'; readonly bad: string };
