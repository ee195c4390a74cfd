/** Why a version was withdrawn, in one line, for readers of the commit and the audit log. `reasonIn` parses it. */
export function withdrawalNote(bad: string, reason: string, good: string): string {
  return `${beginningOf(bad)}${reason}. The bytes are those of ${good}.`;
}

export function beginningOf(bad: string): string {
  return `Withdraws ${bad}: `;
}

/** It is part of a commit and of an entry of the audit log. */
export const maxReasonLength = 500;

/** The reason in a commit's message; undefined when it withdraws nothing, or another version. */
export function reasonIn(message: string, bad: string): string | undefined {
  const line = message.split('\n').find((one) => one.startsWith(beginningOf(bad)));
  return line
    ?.slice(beginningOf(bad).length)
    .replace(/\. The bytes are those of \S+\.$/, '')
    .slice(0, maxReasonLength);
}
