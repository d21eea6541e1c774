import { act, renderHook } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { CALM_MS, PATIENCE_MS, useSteadyTrouble } from './use-steady-trouble';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp() {
  const { result, rerender } = renderHook(({ trouble }) => useSteadyTrouble(trouble), {
    initialProps: { trouble: false },
  });
  const hold = (trouble: boolean, ms: number) => {
    rerender({ trouble });
    act(() => void vi.advanceTimersByTime(ms));
    return result.current;
  };
  return hold;
}

it('says nothing about a short interruption', () => {
  const hold = setUp();
  expect(hold(true, PATIENCE_MS - 1)).toBe(false);
  expect(hold(false, 10 * CALM_MS)).toBe(false);
  expect(hold(true, PATIENCE_MS)).toBe(true);
});

it('does not flap with a line that comes and goes', () => {
  const hold = setUp();
  expect(hold(true, PATIENCE_MS)).toBe(true);
  for (let i = 0; i < 5; i += 1) {
    expect(hold(false, CALM_MS - 1)).toBe(true);
    expect(hold(true, 100)).toBe(true);
  }
  expect(hold(false, CALM_MS)).toBe(false);
});
