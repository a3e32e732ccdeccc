import { expect, test } from 'vitest';
import { check, checkInteger, fail, MobilenetError } from '../src/errors';

test('an error says where, what was expected, what came and how to mend it', () => {
  const cause = new Error('below');
  let error: unknown;
  try {
    fail({ code: 'invalid-data', where: 'f', expected: 'a', received: { b: 1 }, remedy: 'Mend it.', cause });
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(MobilenetError);
  expect(error).toMatchObject({ name: 'MobilenetError', code: 'invalid-data', cause });
  expect((error as Error).message).toBe('f: expected a, received {"b":1}. Mend it.');
});

test('every kind of value can be shown', () => {
  const shown = (received: unknown) => {
    try {
      check(false, { where: 'f', expected: 'x', received });
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };
  expect(shown('text')).toBe('f: expected x, received text.');
  expect(shown(Number.NaN)).toBe('f: expected x, received NaN.');
  expect(shown(undefined)).toBe('f: expected x, received undefined.');
  expect(shown(() => 1)).toBe('f: expected x, received a function.');
  expect(shown([1, 2])).toBe('f: expected x, received [1,2].');
  expect(shown([Number.NaN, 1])).toBe('f: expected x, received ["NaN",1].');
});

test('checkInteger takes integers from its minimum on', () => {
  expect(() => checkInteger('f', 'n', 1, 1)).not.toThrow();
  for (const value of [0, 1.5, '1', Number.NaN, undefined])
    expect(() => checkInteger('f', 'n', value, 1)).toThrow(/n to be/);
});
