import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parsePowerShell } from '../../kit/powershell.ts';
import { faultsOf } from '../../kit/powershell-rules.ts';
import { productDir } from '../../kit/test-server.ts';

type Workflow = { jobs: { clients: { steps: { name?: string; run?: string }[] } } };
const file = join(productDir, '.github', 'workflows', 'windows.yml');
const { jobs } = parse(await readFile(file, 'utf8')) as Workflow;
const steps = jobs.clients.steps.flatMap(({ name, run }) => (run === undefined ? [] : [{ name, run }]));
/** A pipeline may call what it likes; it must run in both PowerShells. */
const language = /^(not ASCII|not understood|chain of|alias|5\.1 makes)/;

describe('the steps that Windows runs, by a parser and rules of our own (needs no PowerShell)', () => {
  it.each(steps)('$name: has no fault', async ({ run }) => {
    const faults = faultsOf(run, await parsePowerShell(run));

    expect(faults.filter((fault) => language.test(fault))).toEqual([]);
  });

  it('try every switch of the script', () => {
    const text = steps.map(({ run }) => run).join('\n');

    for (const flag of ['Beta', 'DisableCommunity', 'Shims', 'ShimsDir', 'KeyFile', 'Remove', 'WhatIf']) {
      expect(text).toMatch(new RegExp(`install\\.(cmd|ps1).* -${flag}\\b`));
    }
  });
});
