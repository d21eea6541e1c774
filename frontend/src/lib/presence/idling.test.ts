import { expect, it } from 'vitest';

import { Idling, IDLE_AFTER_MS } from './idling';

const SECOND = 1_000;

function connected(hidden = false) {
  const idling = new Idling(0, hidden);
  idling.connected();
  return idling;
}

it('says that nobody is there five minutes after the last touch, and at once that somebody is back', () => {
  const idling = connected();
  idling.touched(10 * SECOND);
  expect(idling.deadlineMs()).toBe(10 * SECOND + IDLE_AFTER_MS);
  expect(idling.due(IDLE_AFTER_MS)).toBeNull();
  expect(idling.due(10 * SECOND + IDLE_AFTER_MS)).toBe(true);
  expect(idling.due(20 * SECOND + IDLE_AFTER_MS)).toBeNull();
  expect(idling.deadlineMs()).toBe(Infinity);
  idling.touched(30 * SECOND + IDLE_AFTER_MS);
  expect(idling.due(30 * SECOND + IDLE_AFTER_MS)).toBe(false);
  expect(idling.due(31 * SECOND + IDLE_AFTER_MS)).toBeNull();
});

it('says it a moment after the page was hidden, unless it is shown again before', () => {
  const idling = connected();
  idling.hidden(SECOND);
  expect(idling.due(2 * SECOND)).toBeNull();
  idling.shown(2 * SECOND);
  expect(idling.due(10 * SECOND)).toBeNull();
  idling.hidden(10 * SECOND);
  // Hidden still.
  idling.hidden(11 * SECOND);
  expect(idling.deadlineMs()).toBe(12 * SECOND);
  expect(idling.due(12 * SECOND)).toBe(true);
  idling.shown(600 * SECOND);
  expect(idling.due(600 * SECOND)).toBe(false);
});

it('the next tab of the same person is there before the last one goes', () => {
  const [here, there] = [connected(), connected(true)];
  expect(there.due(0)).toBe(true);
  here.hidden(10 * SECOND);
  there.shown(10 * SECOND);
  expect(there.due(10 * SECOND)).toBe(false);
  expect(here.due(10 * SECOND)).toBeNull();
  expect(here.due(12 * SECOND)).toBe(true);
});

it('a new connection is taken for somebody present: whoever is not says so again', () => {
  const idling = connected();
  expect(idling.due(IDLE_AFTER_MS)).toBe(true);
  idling.disconnected();
  expect(idling.due(2 * IDLE_AFTER_MS)).toBeNull();
  expect(idling.deadlineMs()).toBe(Infinity);
  idling.connected();
  expect(idling.due(2 * IDLE_AFTER_MS)).toBe(true);
});
