import type { ReleaseError } from '../../errors/release-error.ts';
import type { SourceKind } from '../../formats/release-record.ts';
import type { Report } from '../../system/report.ts';
import type { VulnerabilityChange } from '../../vulnerabilities/change.ts';
import type { Judged } from '../../vulnerabilities/policy.ts';
import type { Reason } from '../plan/reason.ts';
import type { Channel } from '../published/bucket/repository.ts';
import type { ReleasedBy } from '../published/feed/audit-log.ts';
import type { Rollout } from '../published/feed/rollouts.ts';
import type { Check } from '../reverify/check.ts';
import type { UpstreamKind } from '../tool-file/sources.ts';

/** `github` and `github.com/go-delve/delve@v1.26.3`, or what has the manifests that change. */
export type PlanSource =
  | { readonly kind: SourceKind; readonly upstream: string }
  | { readonly branch: Channel | undefined };

/** What a verb will do for one tool, shown before it acts (contract section 1). */
export type PlanRow = {
  readonly tool: string;
  /** What the channels offer now. */
  readonly main: string | undefined;
  readonly beta: string | undefined;
  /** Upstream's version that it is about. */
  readonly upstream: string | undefined;
  /** What the channel offers that the verb works on. */
  readonly from: string | undefined;
  readonly to: string;
  /** Undefined where nothing is taken from anywhere. */
  readonly source: PlanSource | undefined;
  /** Where a release to beta takes the files from. */
  readonly sourceKind?: UpstreamKind;
  /** The kinds of evidence that will be demanded. */
  readonly evidence: readonly string[];
  /** The address of upstream's notes about this version. */
  readonly notes?: string | undefined;
  readonly does: 'release' | 'promote' | 'rollout' | 'withdraw' | 'finish' | 'rebase' | 'nothing';
  readonly why: Reason;
  /** Of a promotion: who released the beta, as the server's audit log has it; undefined where it does not say. */
  readonly releasedBy?: ReleasedBy | undefined;
  /** Against what main offers; undefined without a scan (no VULN_DB) or when nothing is done. */
  readonly vulnerabilities?: VulnerabilityChange | undefined;
};

/** How it ended for one tool. `made`: a dry run, everything is there but nothing was published. */
export type Outcome = {
  readonly tool: string;
  readonly version: string;
  readonly kind:
    | 'released'
    | 'promoted'
    | 'started'
    | 'withdrawn'
    | 'made'
    | 'verified'
    | 'rebased'
    | 'nothing';
  readonly detail: string;
  /** After a withdrawal: what to do on machines that have it. */
  readonly recovery?: readonly string[];
  /** The feed's page about a new beta, with the commands that install it. */
  readonly page?: string | undefined;
  /** What was verified has been withdrawn; the reason where it is known. */
  readonly withdrawn?: { readonly reason?: string };
};

export type NextStep =
  | { readonly does: 'nothing'; readonly why: Reason }
  | {
      readonly does: 'release' | 'finish';
      readonly version: string;
      readonly from: UpstreamKind;
      readonly why: Reason;
    }
  | { readonly does: 'fail'; readonly error: ReleaseError }
  /** Of a package that other verbs make: how to see it. */
  | { readonly does: 'look'; readonly how: string };

export type StatusRow = {
  readonly tool: string;
  readonly upstream: string;
  readonly beta: string;
  readonly main: string;
  /** The open one. */
  readonly rollout?: Rollout | undefined;
  /** What waits for approvals to take its place. */
  readonly pendingRollout?: Rollout | undefined;
  readonly next: NextStep;
  /** The beta that a promotion would take now; undefined: none waits, or it is younger than the tool file's `minAge`. */
  readonly promotable?: string | undefined;
  /** What an interruption left half done, and how it is finished, a sentence each. */
  readonly unfinished?: readonly string[];
};

export type CheckRow = Check & { readonly tool: string; readonly version: string };

/** What became of one tool on main (release:check). */
export type WatchRow = {
  readonly tool: string;
  /** What main offers; undefined: nothing. */
  readonly main: string | undefined;
  readonly beta: string | undefined;
  /** The newest upstream version that may be taken; undefined when main offers nothing or no source could say. */
  readonly upstream: string | undefined;
  readonly isOutdated: boolean;
  /** Undefined without a scan. */
  readonly vulnerabilities: readonly Judged[] | undefined;
  /** Modules of which nothing can be said. */
  readonly unknown: readonly string[];
  /** What the database could not be asked about, and what the policy makes of it. */
  readonly gaps: readonly Judged[];
  /** What to do, in sentences; empty if there is nothing. */
  readonly next: readonly string[];
};

/** What the verbs themselves say. Implementations: `lines.ts` (people), `json.ts` (machines). */
export interface CommandReport extends Report {
  plan(rows: readonly PlanRow[]): void;
  outcome(outcome: Outcome): void;
  /** One of several tools failed; the others go on. */
  failed(tool: string, error: ReleaseError): void;
  status(rows: readonly StatusRow[]): void;
  checks(rows: readonly CheckRow[]): void;
  watch(rows: readonly WatchRow[]): void;
  /** @param about `notes`: what people have to know or do now, a line each; `isAsked`: they are the answer, which `--quiet` leaves */
  rollouts(
    rows: readonly Rollout[],
    about?: { readonly notes?: readonly string[]; readonly isAsked?: boolean },
  ): void;
}
