/** Why a version is taken back, in one line, for whoever reads the commit or the audit log. `reasonIn` finds it there again. */
export function withdrawalNote(bad: string, reason: string, good: string): string {
  return `${beginningOf(bad)}${reason}. The bytes are those of ${good}.`;
}

export function beginningOf(bad: string): string {
  return `Withdraws ${bad}: `;
}

/** It stands in a commit and in an entry of the audit log. */
export const maxReasonLength = 500;

/** The reason in a commit's message; undefined when it withdraws nothing, or another version. */
export function reasonIn(message: string, bad: string): string | undefined {
  const line = message.split('\n').find((one) => one.startsWith(beginningOf(bad)));
  return line
    ?.slice(beginningOf(bad).length)
    .replace(/\. The bytes are those of \S+\.$/, '')
    .slice(0, maxReasonLength);
}
