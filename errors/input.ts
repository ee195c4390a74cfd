import type { ErrorTable } from './error-table.ts';

/** What somebody gave cannot be used: settings, arguments, files. */
export const inputErrors = {
  SETTINGS_INVALID: [2, '{problems}', 'Correct the settings named above; --help lists them all.'],
  USAGE: [2, '{problem}', 'See --help.'],
  POLICY_INVALID: [2, '{file} cannot be used as a policy: {problems}.', 'Correct it; nothing was written.'],
  OUT_UNUSABLE: [
    2,
    '--out {dir} cannot be used: {cause}.',
    'Name a folder that can be created and written to; for a bundle, a file.',
  ],
  TOOL_UNKNOWN: [1, 'There is no tool {tool}. The tools are {known}.', '{hint}'],
  TOOL_MADE_HERE: [1, '{tool} has no upstream: {what}.', '{hint}'],
  TOOL_FILE_INVALID: [
    2,
    '{file} is not a valid tool file: {problems}',
    'Correct it; docs/tools/reference.md has every field.',
  ],
  TOOL_FILES_INVALID: [2, '{sentences}', 'Correct them; docs/tools/reference.md has every field.'],
  PLAN_INVALID: [
    2,
    '{file} is not a valid plan of a rollout: {problems}.',
    'Correct it; docs/release/rollouts.md has every field.',
  ],
  CONTENT_INVALID: [
    1,
    '{tool}: content from the feed or a template is invalid: {problem}',
    'Check the file that the message names.',
  ],
} as const satisfies ErrorTable;
