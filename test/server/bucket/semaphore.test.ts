import { describe, expect, it } from 'vitest';
import { createSemaphore } from '../../../server/bucket/semaphore.ts';

const never = new AbortController().signal;

describe('slots', () => {
  it('admit their number, and the others in the order they came', async () => {
    const slots = createSemaphore(2, 10);
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

  it('turn away those behind too many waiting', async () => {
    const slots = createSemaphore(1, 1);
    const release = await slots.acquire(never);
    const second = slots.acquire(never);

    await expect(slots.acquire(never)).rejects.toMatchObject({ code: 'GIT_BUSY', status: 503 });

    release();
    (await second)();
    (await slots.acquire(never))();
  });

  it('keep some for others, however many one holder asks for', async () => {
    const slots = createSemaphore(3, 4, 2);
    const entered: string[] = [];
    const enter = async (holder: string | undefined, name: string) => {
      const leave = await slots.acquire(never, holder);
      entered.push(name);
      return leave;
    };
    const first = await enter('a', 'a1');
    await enter('a', 'a2');
    const third = enter('a', 'a3');
    const fourth = enter('a', 'a4');
    const b1 = await enter('b', 'b1');

    await expect(slots.acquire(never, 'a')).rejects.toMatchObject({ code: 'GIT_BUSY' });
    const b2 = enter('b', 'b2');
    const free = enter(undefined, 'free');
    await expect(slots.acquire(never, 'c')).rejects.toMatchObject({ code: 'GIT_BUSY' });

    // The next in the queue has its share already.
    b1();
    await b2;
    expect(entered).toEqual(['a1', 'a2', 'b1', 'b2']);
    first();
    await third;
    (await b2)();
    await free;
    expect(entered).toEqual(['a1', 'a2', 'b1', 'b2', 'a3', 'free']);
    (await third)();
    (await fourth)();
    (await free)();
    await enter('a', 'a5');
    expect(entered.slice(6)).toEqual(['a4', 'a5']);
  });

  it('forget those who left while waiting', async () => {
    const slots = createSemaphore(1, 2);
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
