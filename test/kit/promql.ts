/** The names of the metrics in an expression: what is neither a function, a keyword, a label nor a string. */
export function metricsIn(expression: string): readonly string[] {
  const plain = withoutStrings(expression)
    .replace(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  const words = plain.match(/[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])/g) ?? [];
  const keywords = new Set(['and', 'or', 'unless', 'bool', 'offset', 'sum', 'min', 'max', 'avg', 'count']);
  return [...new Set(words.filter((word) => !keywords.has(word)))];
}

/** The labels that an expression selects a metric by, as pairs. */
export function selectedLabels(expression: string): readonly (readonly [metric: string, label: string])[] {
  return [...withoutStrings(expression).matchAll(/([a-zA-Z_:][\w:]*)\{([^}]*)\}/g)].flatMap(
    ([, metric = '', matchers = '']) =>
      [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => [metric, label] as const),
  );
}

/** The labels that an expression groups by. */
export function groupedLabels(expression: string): readonly string[] {
  const lists = withoutStrings(expression).matchAll(
    /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g,
  );
  return [...lists].flatMap(([, labels = '']) => labels.split(/[\s,]+/).filter((label) => label !== ''));
}

function withoutStrings(expression: string): string {
  return expression.replace(/"(\\.|[^"\\])*"/g, '""');
}
