import { expect, test } from 'vitest';
import { compareShapes } from './support/compare-shapes.ts';

test('answers of the same form do not differ, whatever they say', () => {
  const real = [{ id: 'a', list: [{ n: 1 }], note: null }];
  expect(compareShapes(real, [{ id: 'b', list: [{ n: 2 }, { n: 3 }], note: 'text' }])).toEqual([]);
});

test('what is missing, added or of another kind is said in words, and only once', () => {
  const real = [{ id: 'a', usage: { cost: 1, details: { cached: 0 } }, list: [{ n: 1 }] }];
  const simulated = [{ id: 1, list: [{ n: 1, more: true }] }];
  expect(compareShapes(real, simulated)).toEqual([
    'OpenRouter sends usage, the simulator does not',
    'the simulator sends list[].more, OpenRouter did not',
    'id is string at OpenRouter, number here',
  ]);
});
