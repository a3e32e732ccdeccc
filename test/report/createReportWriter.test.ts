import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createReportWriter } from '../../src/report/createReportWriter';
import { historyCsv } from '../../src/report/historyCsv';
import { trainingReportHtml } from '../../src/report/trainingReportHtml';
import { makeReport } from './reports';

let root: string;
let now = 0;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'mobilenet-report-'));
  now = 1000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(root, { recursive: true });
});

const read = (...path: string[]) => readFile(join(root, ...path), 'utf8');

test('writes page, CSV and JSON into a folder that it makes, and nothing else', async () => {
  const report = makeReport();
  await createReportWriter({ dir: join(root, 'runs/1/') }).write(report);
  expect((await readdir(join(root, 'runs/1'))).sort()).toEqual(['history.csv', 'history.json', 'report.html']);
  expect(await read('runs/1/report.html')).toBe(await trainingReportHtml(report));
  expect(await read('runs/1/history.csv')).toBe(historyCsv(report.epochs));
  const history = JSON.parse(await read('runs/1/history.json'));
  expect(history.epochs).toEqual(report.epochs);
  expect(history.settings).toEqual({ batchSize: 128, nesterov: true, clipNorm: null });
  expect(history).toMatchObject({ title: 'A training', status: report.status, environment: { engine: 'fused' } });
  // The class without pictures has no accuracy.
  expect(history.evaluation.perClass[2]).toEqual({ className: 'owl', accuracy: null, size: 0 });
});

test('leaves other files in the folder alone', async () => {
  await writeFile(join(root, 'model.json'), 'mine');
  const writer = createReportWriter({ dir: root });
  await writer.write(makeReport(1));
  await writer.write(makeReport(2));
  expect(await read('model.json')).toBe('mine');
  expect((await read('history.csv')).trim().split('\r\n')).toHaveLength(3);
});

test('offers are taken every five seconds, and cost nothing in between', async () => {
  const writer = createReportWriter({ dir: root });
  const report = vi.fn(() => makeReport(1));
  for (now = 1000; now < 13_000; now += 1000) await writer.offer(report);
  // At 1, 6 and 11 seconds.
  expect(report).toHaveBeenCalledTimes(3);
  await writer.write(makeReport(2));
  await writer.offer(report);
  expect(report).toHaveBeenCalledTimes(3);
  expect(await read('report.html')).toBe(await trainingReportHtml(makeReport(2)));
});

test('an offer during a write is left; writes follow each other, and the last one stands', async () => {
  const writer = createReportWriter({ dir: root, everySeconds: 0 });
  const offered = vi.fn(() => makeReport(9));
  const writes = [1, 2, 3].map((epochs) => writer.write(makeReport(epochs)));
  await writer.offer(offered);
  await Promise.all(writes);
  expect(offered).not.toHaveBeenCalled();
  expect(await read('history.csv')).toBe(historyCsv(makeReport(3).epochs));
});

test('whoever reads during a write gets a whole file', async () => {
  const writer = createReportWriter({ dir: root });
  await writer.write(makeReport(1));
  let isDone = false;
  const writes = (async () => {
    for (let i = 0; i < 20; i++) await writer.write(makeReport(1 + (i % 2)));
    isDone = true;
  })();
  let reads = 0;
  while (!isDone) {
    expect(await read('report.html')).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
    JSON.parse(await read('history.json'));
    reads += 1;
  }
  await writes;
  expect(reads).toBeGreaterThan(1);
});

test('a folder that cannot be written is told, and the writer can be used again', async () => {
  const dir = join(root, 'taken');
  await writeFile(dir, '');
  const writer = createReportWriter({ dir });
  await expect(writer.write(makeReport())).rejects.toMatchObject({ name: 'MobilenetError', code: 'file-system' });
  await rm(dir);
  await writer.write(makeReport());
  expect(await readdir(dir)).toHaveLength(3);
});

test('an empty folder name is refused, and is not the root of the disk', () => {
  expect(() => createReportWriter({ dir: '' })).toThrow(/expected dir to be a folder/);
});

test.each([-1, Number.NaN])('everySeconds %s is refused', (everySeconds) => {
  expect(() => createReportWriter({ dir: root, everySeconds })).toThrow(/everySeconds to be a number of at least 0/);
});
