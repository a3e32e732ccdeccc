import { describe, expect, test } from 'vitest';
import { judgeEpochs } from '../../src/train/bestEpoch';
import type { TrainingEpoch } from '../../src/train/trainingRecords';

const epochs = (values: (number | undefined)[]) =>
  values.map((valLoss, i) => ({ epoch: i + 1, valLoss }) as TrainingEpoch);
const judge = (values: (number | undefined)[], patience?: number, minDelta = 0) =>
  judgeEpochs(epochs(values), {
    monitor: 'valLoss',
    ...(patience !== undefined && { earlyStopping: { patience, minDelta } }),
  });

describe('judgeEpochs', () => {
  test('the lowest loss, the first of equal ones, stopped when patience runs out', () => {
    expect(judge([3, 2, 2, 4], 2)).toEqual({ bestEpoch: 2, stoppedEarly: true });
    expect(judge([3, 2, 4], 2)).toEqual({ bestEpoch: 2, stoppedEarly: false });
    expect(judge([3, 2, 4, 5, 6])).toEqual({ bestEpoch: 2, stoppedEarly: false });
    expect(judge([3, 2.5, 2.4], 2, 1)).toEqual({ bestEpoch: 1, stoppedEarly: true });
  });

  test('patience lasts for five epochs unless told', () => {
    const judged = (values: number[]) => judgeEpochs(epochs(values), { monitor: 'valLoss', earlyStopping: {} });
    expect(judged([1, 2, 2, 2, 2])).toEqual({ bestEpoch: 1, stoppedEarly: false });
    expect(judged([1, 2, 2, 2, 2, 2])).toEqual({ bestEpoch: 1, stoppedEarly: true });
  });

  test('what is not finite is never the best, and does not hide what comes after it', () => {
    const { NaN: none, POSITIVE_INFINITY: infinite } = Number;
    expect(judge([none, 3, 2], 2)).toEqual({ bestEpoch: 3, stoppedEarly: false });
    expect(judge([infinite, none], 2)).toEqual({ bestEpoch: undefined, stoppedEarly: true });
    expect(judge([undefined, undefined, 2], 2)).toEqual({ bestEpoch: 3, stoppedEarly: false });
    expect(judge([undefined, undefined], 2)).toEqual({ bestEpoch: undefined, stoppedEarly: false });
    expect(judge([])).toEqual({ bestEpoch: undefined, stoppedEarly: false });
  });
});
