import { cellForTerminal, columns } from '../formats/for-terminal.ts';
import { cell, row, withCode } from '../formats/markdown.ts';
import type { Finding } from './finding.ts';

/** For a terminal. */
export function findingsText(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'Nothing to do.\n';
  const rows = findings.map(({ about, kind, what }) => [about, kind, what]);
  const steps = [...new Set(findings.map(({ about, next }) => `${about}: ${next}`))];
  return [columns(rows), '', ...steps.map((step) => `-> ${cellForTerminal(step)}`), ''].join('\n');
}

/** A page for an issue or the summary of a job. @param notes what could not be checked */
export function findingsMarkdown(findings: readonly Finding[], notes: readonly string[]): string {
  const table = [
    '| what | is | because | to do |',
    '| --- | --- | --- | --- |',
    ...findings.map(({ about, kind, what, next }) => row([cell(about), kind, cell(what), withCode(next)])),
  ];
  const body = findings.length === 0 ? ['Nothing to do.'] : table;
  const rest = notes.length === 0 ? [] : ['', ...notes.map((note) => `- ${cell(note)}`)];
  return `${['# DevBoxes and images', '', ...body, ...rest].join('\n')}\n`;
}
