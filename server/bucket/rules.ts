import { commitRules } from './commit-rules.ts';
import { fileRules } from './file-rules.ts';
import { manifestRules } from './manifest-rules.ts';
import type { Push } from './push.ts';
import { refRules } from './ref-rules.ts';
import type { Rule } from './rule.ts';

/** What a push must keep (contract section 5). All are asked, and the pusher gets all faults at once. */
const rules: readonly Rule[] = [...refRules, ...fileRules, ...commitRules, ...manifestRules];

export type Fault = { readonly rule: string; readonly sentence: string };

export function judgePush(push: Push): readonly Fault[] {
  return rules.flatMap(({ name, check }) => check(push).map((sentence) => ({ rule: name, sentence })));
}
