import { describe, expect, it } from 'vitest';
import { createBudget, traceClassOf } from '../../../server/http/trace-class.ts';

const [yes, no] = [() => true, () => false];
const asked = { method: 'GET', path: '/nuget', status: 200, ms: 1, isFromPublisher: false } as const;

describe('the class of a request for traces', () => {
  it.each([
    [{}, 'other'],
    [{ status: undefined }, 'other'],
    [{ status: 304 }, 'other'],
    [{ status: 404 }, 'other'],
    [{ status: 401, method: 'PUT' }, 'other'],
    [{ status: undefined, method: 'PUT' }, 'other'],
    [{ status: 403, method: 'DELETE', isFromPublisher: true }, 'publishing'],
    [{ status: undefined, method: 'PUT', isFromPublisher: true }, 'publishing'],
    [{ method: 'HEAD' }, 'other'],
    [{ method: 'PUT' }, 'publishing'],
    [{ method: 'POST', path: '/api/v1/rollouts' }, 'publishing'],
    [{ method: 'POST', path: '/git/main/go-win-tools.git/git-receive-pack' }, 'publishing'],
    [{ method: 'POST', path: '/git/main/go-win-tools.git/git-upload-pack' }, 'other'],
    [{ status: 500 }, 'always'],
    [{ status: 503, method: 'PUT' }, 'always'],
    [{ status: 400 }, 'always'],
    [{ status: 409, method: 'PUT' }, 'always'],
    [{ ms: 5_001 }, 'always'],
    [{ ms: 5_000 }, 'other'],
    [{ status: undefined, ms: 5_001 }, 'always'],
  ] as const)('%o: %s', (request, of) => {
    expect(traceClassOf({ ...asked, ...request }, yes)).toBe(of);
  });

  it('keeps the faults of strangers only as far as it may, and any other always', () => {
    const fault = { ...asked, status: 400 };

    expect(traceClassOf(fault, no)).toBe('other');
    expect(traceClassOf({ ...fault, method: 'PUT' }, no)).toBe('other');
    expect(traceClassOf({ ...fault, isFromPublisher: true }, no)).toBe('always');
    expect(traceClassOf({ ...fault, status: 500 }, no)).toBe('always');
    expect(traceClassOf({ ...fault, ms: 5_001 }, no)).toBe('always');
  });
});

describe('a budget', () => {
  it('begins anew each minute', () => {
    let now = 0;
    const mayKeep = createBudget(2, () => now);

    expect([mayKeep(), mayKeep(), mayKeep()]).toEqual([true, true, false]);
    now = 59_999;
    expect(mayKeep()).toBe(false);
    now = 60_000;
    expect([mayKeep(), mayKeep(), mayKeep()]).toEqual([true, true, false]);
  });
});
