import { stripVTControlCharacters } from 'node:util';

const firstLines = 25;
const lastLines = 15;
const mark = '  | ';

/** A failed test with what its errors say, each line marked; from long ones, such as the output of a program, both ends. */
export function describeFailure(name: string, messages: readonly string[]): string[] {
  const lines = messages.flatMap((message) => stripVTControlCharacters(message).trimEnd().split(/\r?\n/));
  const left = lines.length - firstLines - lastLines;
  const shown =
    left <= 1
      ? lines
      : [...lines.slice(0, firstLines), `... ${left} more lines ...`, ...lines.slice(-lastLines)];
  return [`Failed: ${name.replaceAll(/\s+/g, ' ')}`, ...shown.map((line) => mark + line)];
}
