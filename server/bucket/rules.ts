import { approvalRules } from './approval-rules.ts';
import { commandRules } from './command-rules.ts';
import { commitRules } from './commit-rules.ts';
import { fileRules } from './file-rules.ts';
import { manifestRules } from './manifest-rules.ts';
import type { Push, PushCommands } from './push.ts';
import { refRules } from './ref-rules.ts';
import type { Rule } from './rule.ts';

/** The rules for a push (contract section 5). All are applied, so that the pusher gets all faults at once. */
export const rules: readonly Rule[] = [
  ...commandRules,
  ...refRules,
  ...fileRules,
  ...commitRules,
  ...manifestRules,
  ...approvalRules,
];

export type Fault = { readonly rule: string; readonly sentence: string };

export function applyRules(push: Push): readonly Fault[] {
  return ask(rules, push);
}

/** Faults that are known before git has received an object. */
export function applyCommandRules(commands: PushCommands): readonly Fault[] {
  return ask(commandRules, commands);
}

function ask<Subject>(asked: readonly Rule<Subject>[], subject: Subject): Fault[] {
  return asked.flatMap(({ name, check }) => check(subject).map((sentence) => ({ rule: name, sentence })));
}
