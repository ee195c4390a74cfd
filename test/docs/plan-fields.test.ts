import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RolloutPlan } from '../../formats/rollout-plan.ts';
import { fieldsOf, namedIn } from '../kit/schema-fields.ts';
import { productDir } from '../kit/test-server.ts';

const page = await readFile(join(productDir, 'docs', 'release', 'rollouts.md'), 'utf8');
const [, section = ''] = page.split('\n## The plan\n');
const [ofPlan = ''] = section.split('\n## ');

describe('docs/release/rollouts.md', () => {
  it('has every field of a plan, and no other', () => {
    expect(namedIn(ofPlan).toSorted()).toEqual(fieldsOf(RolloutPlan));
  });
});
