import type { ErrorTable } from './error-table.ts';

/** Releases: what was published, promoted, rolled out or withdrawn, and the evidence for it. */
export const releaseErrors = {
  NOTHING_PUBLISHED_HERE: [1, '{tool}: {problem}.', '{hint}'],
  PROMOTION_REFUSED: [
    1,
    '{tool} {version} cannot become stable: {reason}.',
    '`release:status {tool}` shows what is published; `release:beta {tool}` makes another beta if something changed.',
  ],
  PROMOTION_TOO_YOUNG: [
    1,
    '{tool} {version} cannot become stable yet: expected its beta {beta} to be at least {expected} old, found {found}.',
    '{wait}, or promote it now and say why: --now --reason TEXT.',
  ],
  PROMOTION_UNPROVEN: [
    3,
    '{tool} {version} cannot become stable: {what} of {subject} in {beta} is wrong: expected {expected}, found {found}.',
    '{hint}',
  ],
  PROMOTION_NOT_REPEATED: [
    4,
    '{tool} {version} cannot become stable: {count} of {beta} could not be repeated, first {what} of {subject}: {cause}',
    'Nothing was published, and nothing is known to be wrong. Run it again when the source can be reached, or use a bundle that has it: --from BUNDLE. --skip-verify --reason TEXT promotes without it, and is audited.',
  ],
  ROLLOUT_UNSUITED: [2, '{what} is not possible here: {reason}.', '{hint}'],
  ROLLOUT_PLAN: [
    2,
    '{tool} {version} cannot be rolled out by this plan: {reason}.',
    'Correct the plan, and run it again. docs/release/rollouts.md has every field.',
  ],
  ROLLOUT_REFUSED: [1, '{reason}.', '{hint}'],
  ROLLOUT_OPEN: [2, '{tool} {version} is being rolled out, and the rollout is {state}.', '{hint}'],
  ROLLOUT_MISSING: [1, 'Cannot {what}: {tool} has {found}.', '{hint}'],
  WITHDRAWAL_REFUSED: [1, '{tool} {version} cannot be withdrawn: {reason}.', '{hint}'],
  NOTHING_GOOD: [
    1,
    '{tool} {version} {is}, but Scoop still offers it: expected an older good version, found none on the feed.',
    'Run it again with --to OLDER, a good older version of upstream, to publish its bytes as the correction. Or release and promote a newer version.{recovery}',
  ],
  OTHER_BYTES: [
    3,
    '{tool} {version}: {file} is refused: expected {expected}, found {found}.',
    'This is not what was released. Compare with a backup, and restore the right file before you publish anything else.',
  ],
  EVIDENCE_BROKEN: [
    3,
    '{tool} {version}: {what} of {subject} is wrong: expected {expected}, found {found}.',
    'Do not install it. Compare with a backup, and withdraw the version if clients get wrong bytes.',
  ],
  NOT_REPEATED: [
    4,
    '{tool} {version}: {count} could not be repeated, first {what} of {subject}: {cause}',
    'Nothing is known to be wrong. Run it again when the source can be reached.',
  ],
  REBASE_REFUSED: [
    1,
    'The manifests were not moved to {to}: {reason}.',
    'Nothing was pushed; see "Another base address" in docs/operate/moving.md.',
  ],
} as const satisfies ErrorTable;
