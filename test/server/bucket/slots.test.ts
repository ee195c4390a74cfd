import { describe, expect, it } from 'vitest';
import { createSlots } from '../../../server/bucket/slots.ts';

const never = new AbortController().signal;

describe('slots', () => {
  it('let in as many as there are, and the others in the order they came', async () => {
    const slots = createSlots(2, 10);
    const entered: number[] = [];
    const leave = [await slots.acquire(never), await slots.acquire(never)];
    const waiting = [1, 2, 3].map(async (name) => {
      const release = await slots.acquire(never);
      entered.push(name);
      release();
    });

    expect(entered).toEqual([]);
    leave[0]!();
    leave[0]!();
    await Promise.all(waiting);

    expect(entered).toEqual([1, 2, 3]);
  });

  it('turn away who would wait behind too many', async () => {
    const slots = createSlots(1, 1);
    const release = await slots.acquire(never);
    const second = slots.acquire(never);

    await expect(slots.acquire(never)).rejects.toMatchObject({ code: 'GIT_BUSY', status: 503 });

    release();
    (await second)();
    (await slots.acquire(never))();
  });

  it('forget who went away while waiting', async () => {
    const slots = createSlots(1, 2);
    const release = await slots.acquire(never);
    const impatient = new AbortController();
    const gone = slots.acquire(impatient.signal);
    const patient = slots.acquire(never);

    impatient.abort(new Error('enough'));
    await expect(gone).rejects.toThrowError('enough');
    release();

    (await patient)();
    await expect(slots.acquire(impatient.signal)).rejects.toThrowError('enough');
  });
});
