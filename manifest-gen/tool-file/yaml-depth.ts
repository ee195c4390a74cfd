import { Lexer, Parser } from 'yaml';

/** A tool's file nests six deep. */
export const maxYamlDepth = 64;

/**
 * Where a YAML text nests deeper than that; undefined if it does not. The library recurses into every level, and if its stack
 * overflows within a pattern, V8 ends the process and nothing can be caught. Its parser keeps the levels in a list.
 */
export function tooDeepAt(text: string): number | undefined {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    // it returns whole documents, which are not used here
    for (const _document of parser.next(lexeme));
    if (parser.stack.length > maxYamlDepth) return parser.offset;
  }
  return undefined;
}
