import type { Expression } from '../../../server/catalog/query.ts';

/** The text of a filter, fully bracketed: parsing it gives the same expression. */
export function printFilter(expression: Expression): string {
  switch (expression.kind) {
    case 'text':
      return `'${expression.value.replaceAll("'", "''")}'`;
    case 'date':
      return `datetime'${expression.value}'`;
    case 'number':
    case 'boolean':
      return String(expression.value);
    case 'null':
      return 'null';
    case 'property':
      return expression.name;
    case 'call':
      return `${expression.name}(${expression.args.map(printFilter).join(',')})`;
    case 'not':
      return `not (${printFilter(expression.operand)})`;
    case 'compare':
      return `(${printFilter(expression.left)}) ${expression.operator} (${printFilter(expression.right)})`;
    case 'and':
    case 'or':
      return `(${printFilter(expression.left)}) ${expression.kind} (${printFilter(expression.right)})`;
  }
}
