import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Language, type Node, Parser } from 'web-tree-sitter';

export type { Node } from 'web-tree-sitter';

/** A second opinion on PowerShell where none runs: the grammar of editors, not Microsoft's parser. */
export async function parsePowerShell(text: string): Promise<Node> {
  await Parser.init();
  const wasm = createRequire(import.meta.url).resolve('tree-sitter-powershell/tree-sitter-powershell.wasm');
  const parser = new Parser();
  parser.setLanguage(await Language.load(await readFile(wasm)));
  const tree = parser.parse(text);
  if (tree === null) throw new Error('tree-sitter gave no tree');
  return tree.rootNode;
}

/** All nodes of one kind, with `line: text` for messages. */
export function nodesOf(root: Node, type: string): readonly Node[] {
  return root.descendantsOfType(type).filter((node) => node !== null);
}

export function placeOf(node: Node): string {
  return `${node.startPosition.row + 1}: ${node.text.split('\n')[0]}`;
}
