import { describe } from 'vitest';
import { cutEverywhere, itEndsWellAgain } from '../kit/cut-withdrawals.ts';

describe('a withdrawal that was interrupted', () => {
  itEndsWellAgain(cutEverywhere('interrupted'));
});
