/** The line and column of `at` in a text, for people: both count from 1, columns in UTF-16 units. */
export function textPosition(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at);
  return { line: before.split('\n').length, column: at - before.lastIndexOf('\n') };
}
