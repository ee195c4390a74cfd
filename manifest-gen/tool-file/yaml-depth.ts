import { Lexer, Parser } from 'yaml';

/** A tool's file nests six deep. */
export const maxYamlDepth = 64;

/**
 * Where a YAML text nests deeper than that; undefined when it nowhere does. The library goes down into every level, and where its
 * stack ends within a pattern, V8 ends the process and there is nothing to catch. Its parser keeps the levels in a list.
 */
export function tooDeepAt(text: string): number | undefined {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    // what it hands out are whole documents, which nobody here looks at
    for (const _document of parser.next(lexeme));
    if (parser.stack.length > maxYamlDepth) return parser.offset;
  }
  return undefined;
}
