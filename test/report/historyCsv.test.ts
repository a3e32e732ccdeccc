import { expect, test } from 'vitest';
import { historyCsv } from '../../src/report/historyCsv';
import { makeEpoch } from './reports';

test('every number comes back with all its bits', () => {
  const epochs = [makeEpoch(3), { ...makeEpoch(7), loss: 1e-9 / 3, imagesPerSecond: 1 / 3, learningRate: 5e-324 }];
  const [head, ...rows] = historyCsv(epochs).split('\r\n');
  expect(rows.pop()).toBe('');
  const names = head!.split(',');
  const read = rows.map((row) => Object.fromEntries(row.split(',').map((text, i) => [names[i], Number(text)])));
  expect(read).toEqual(epochs);
});

test('lines end as RFC 4180 has it; what is undefined is empty, what is not a number says so', () => {
  const epoch = { epoch: 1, loss: Number.NaN, accuracy: 0.5, learningRate: 0.1, imagesPerSecond: 800, seconds: 2 };
  expect(historyCsv([{ ...epoch, valLoss: undefined }])).toBe(
    'epoch,loss,accuracy,valLoss,valAccuracy,learningRate,imagesPerSecond,seconds\r\n1,NaN,0.5,,,0.1,800,2\r\n',
  );
});

test('before the first epoch there is the line of names', () => {
  expect(historyCsv([])).toMatch(/^epoch,[\w,]+\r\n$/);
});
