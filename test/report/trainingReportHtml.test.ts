import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { count, duration, percent, significant } from '../../src/report/format';
import { html } from '../../src/report/html';
import { trainingReportHtml } from '../../src/report/trainingReportHtml';
import { makeEpoch, makePicture, makeReport, makeStep } from './reports';

/** The page's text, as someone reads it. */
const textOf = (page: string) =>
  page
    .slice(page.indexOf('<body'))
    .replace(/<script[\s\S]*?<\/script>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

const curvesOf = (page: string) => JSON.parse(/id="curve-data">(.*?)<\/script>/s.exec(page)![1]!);

describe('a finished training', () => {
  test('shows title, status, figures, classes, epochs, settings and environment', async () => {
    const text = textOf(await trainingReportHtml(makeReport()));
    for (const part of [
      'A training Finished',
      'Accuracy, test set 75.00 %',
      'Validation accuracy 60.00 % best 60.00 % in epoch 2',
      'Training time 2 min 2 s 20 steps, 2 epochs',
      'Speed 802 pictures per second',
      '40 pictures of the test set: accuracy 75.00 %, loss 0.5000.',
      'cat 18 2 0',
      'dog 7 12 1',
      'dog 20 60.0 %',
      'owl 0 –',
      'cat → dog 98.7 %',
      '2 0.5000 66.67 % 0.5500 60.00 % 0.05 802 61.0',
      'batchSize 128 nesterov true clipNorm –',
      'engine fused',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('threads');
  });

  test('of a single picture speaks of it as one', async () => {
    const { evaluation } = makeReport();
    const single = { ...evaluation!, confusionMatrix: [[1]] };
    expect(textOf(await trainingReportHtml(makeReport(1, { classNames: ['cat'], evaluation: single })))).toContain(
      '1 picture of the test set:',
    );
  });

  test('carries the pixels and the curves', async () => {
    const page = await trainingReportHtml(makeReport());
    const pixels = [...page.matchAll(/data-pixels="([^"]*)"/g)].map(([, text]) => Buffer.from(text!, 'base64'));
    expect(pixels.map((bytes) => [...bytes])).toEqual([0, 1, 2, 7].map((seed) => [...makePicture(seed).data]));
    const { steps, epochs } = curvesOf(page);
    expect(steps.epoch).toEqual(Array.from({ length: 20 }, (_, i) => (i + 1) / 10));
    expect(steps.loss[2]).toBe(0.666667);
    expect(epochs.valAccuracy).toEqual([0.4, 0.6]);
  });

  test('says what charts show in words, too', async () => {
    expect(textOf(await trainingReportHtml(makeReport()))).toContain(
      'Loss , last: 0.5000, on the validation set 0.5500',
    );
  });
});

describe('the page on its own', () => {
  test('asks for nothing: no addresses in it but data:, none that a script fetches', async () => {
    const page = await trainingReportHtml(makeReport());
    const addresses = [...page.matchAll(/\b(?:src|href|action|data|poster)="([^"]*)"/g)].map(([, address]) => address);
    expect(addresses).toEqual(['data:,']);
    expect(page).not.toMatch(/@import|url\(|fetch\(|XMLHttpRequest/);
  });

  test('its policy lets its own script and style run, by their hashes', async () => {
    const page = await trainingReportHtml(makeReport());
    const hash = (tag: string) => {
      const content = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(page)![1]!;
      return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
    };
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)![1]!.replaceAll('&#39;', "'");
    expect(policy).toBe(`default-src 'none'; img-src data:; script-src ${hash('script')}; style-src ${hash('style')}`);
  });

  test("holds the chart library's licence", async () => {
    const page = await trainingReportHtml(makeReport());
    expect(page).toContain('Copyright (c) 2022 Leon Sorokin');
    expect(page).toContain('THE SOFTWARE IS PROVIDED "AS IS"');
  });

  test('has one heading of the first rank, a caption in every table, and names for all regions', async () => {
    const page = await trainingReportHtml(makeReport());
    const count = (pattern: RegExp) => page.match(pattern)?.length ?? 0;
    expect(count(/<h1>/g)).toBe(1);
    expect(count(/<table/g)).toBe(5);
    expect(count(/<caption/g)).toBe(5);
    for (const [, id] of page.matchAll(/aria-labelledby="(\w+)"/g)) expect(page).toContain(`<h2 id="${id}">`);
    expect(count(/role="(?:img|region)"/g)).toBe(count(/role="(?:img|region)" aria-label="[^"]+"/g));
  });
});

test('text of others stays text', async () => {
  const evil = `</script><script>alert("1")</script>'&`;
  const { evaluation, ...report } = makeReport(1, { title: evil, classNames: [evil, 'dog', 'owl'] });
  const page = await trainingReportHtml({
    ...report,
    status: { ...report.status, state: 'stopped', reason: evil },
    evaluation: { ...evaluation!, name: evil, perClass: [{ className: evil, accuracy: 1, size: 1 }] },
    settings: { [evil]: evil },
    environment: { [evil]: evil },
  });
  // Ours: the numbers of the curves, and the script.
  expect(page.match(/<script/g)).toHaveLength(2);
  expect(page).not.toContain('alert("1")');
  const escaped = '&lt;/script&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;';
  for (const start of ['<title>', '<h1>', '</strong> ', '<th scope="row">', '<td>', 'aria-label="Picture of ']) {
    expect(page).toContain(start + escaped);
  }
});

describe('a running training', () => {
  const running = { state: 'running', epoch: 2, step: 14, progress: 0.7, seconds: 84, secondsLeft: 36 } as const;

  test('loads itself anew, and shows how far it is', async () => {
    const page = await trainingReportHtml(makeReport(1, { status: running }));
    expect(page).toContain('<meta http-equiv="refresh" content="5">');
    expect(page).toContain('<progress max="1" value="0.7"');
    expect(textOf(page)).toContain('70 % done, epoch 2, step 14, 36 s left');
  });

  test('before the first step there are pictures and settings only', async () => {
    const status = { ...running, epoch: 1, step: 0, progress: 0, seconds: 0, secondsLeft: Number.NaN };
    const page = await trainingReportHtml(
      makeReport(0, { status, evaluation: undefined, mistakes: undefined, samples: [] }),
    );
    const headings = [...page.matchAll(/<h2 id="(\w+)"/g)].map(([, id]) => id);
    expect(headings).toEqual(['settings', 'environment']);
    expect(textOf(page)).toContain('0 % done, epoch 1, step 0 ');
  });

  test.each(['finished', 'stopped'] as const)('one that is %s does not', async (state) => {
    const status = { ...running, state, reason: 'early stopping' };
    const page = await trainingReportHtml(makeReport(1, { status }));
    expect(page).not.toContain('http-equiv="refresh"');
    expect(textOf(page).includes('Stopped in epoch 2, step 14: early stopping')).toBe(state === 'stopped');
  });
});

test('numbers that are not finite are gaps', async () => {
  const page = await trainingReportHtml(
    makeReport(1, {
      epochs: [{ ...makeEpoch(1), valLoss: undefined, valAccuracy: undefined, loss: Number.NaN }],
      steps: [{ ...makeStep(1), loss: Number.POSITIVE_INFINITY }],
    }),
  );
  const { steps, epochs } = curvesOf(page);
  expect([steps.loss, epochs.loss, epochs.valLoss]).toEqual([[null], [null], [null]]);
  expect(textOf(page)).toContain('1 – 50.00 % – – 0.1 801 61.0');
  expect(textOf(page)).not.toMatch(/NaN|Infinity|undefined/);
});

test('of many classes, the most frequent confusions stand for the matrix', async () => {
  const classNames = Array.from({ length: 31 }, (_, k) => `class ${k}`);
  const confusionMatrix = classNames.map((_, i) =>
    classNames.map((_, j) => (i === j ? 90 : j === (i + 1) % 31 ? i : 0)),
  );
  const perClass = classNames.map((className, i) => ({ className, accuracy: 90 / (90 + i), size: 90 + i }));
  const page = await trainingReportHtml(
    makeReport(1, { classNames, evaluation: { loss: 1, accuracy: 0.8, perClass, confusionMatrix } }),
  );
  expect(page).not.toContain('class="matrix"');
  expect(textOf(page)).toContain(
    'Most frequent confusions Label Taken for Pictures Of the class class 30 class 0 30 25.0 %',
  );
  expect(textOf(page)).toContain('of the validation set');
});

test('html escapes text, takes pieces as they are, and leaves out what is not there', () => {
  const piece = html`<b>${'<'}</b>`;
  expect(html`${piece}${[piece, piece]}${undefined}${false}${0}${'"'}`.text).toBe(
    '<b>&lt;</b><b>&lt;</b><b>&lt;</b>0&quot;',
  );
});

test('numbers for people', () => {
  const spaced = (text: string) => text.replaceAll('\u00a0', ' ');
  expect([0.12345, undefined, Number.NaN].map((value) => spaced(percent(value)))).toEqual(['12.35 %', '–', '–']);
  expect([59.4, 59.6, 3599, 3600, 7500].map((seconds) => spaced(duration(seconds)))).toEqual([
    '59 s',
    '1 min 0 s',
    '59 min 59 s',
    '1 h 0 min',
    '2 h 5 min',
  ]);
  expect([999, 1000, 1234567.8, Number.POSITIVE_INFINITY].map(count)).toEqual(['999', '1,000', '1,234,568', '–']);
  expect([0.1 / 3, 3e-7, 0].map(significant)).toEqual(['0.03333', '3e-7', '0']);
});
