// What the site does beyond VitePress. (`npm run docs:build` builds it, and refuses dead links.)
import { expect, test } from 'vitest';
import { parseChart } from '../../docs/.vitepress/markdown';
import { words } from '../../docs/.vitepress/words';
import { blocksOf, readPage } from './blocks';

test('the search box looks for words, and in Chinese for characters and pairs of them', () => {
  expect(words('Frozen batch-norm, conv_pw_1')).toEqual(['Frozen', 'batch', 'norm', 'conv', 'pw', '1']);
  expect(words('训练MobileNetV1网络。')).toEqual(['训', '练', '训练', 'MobileNetV1', '网', '络', '网络']);
  expect(words('')).toEqual([]);
});

test('that function stands by itself, as VitePress sends it as source', () => {
  const sent: typeof words = new Function(`return ${words}`)();
  expect(sent('迁移学习')).toEqual(words('迁移学习'));
});

test("the chart of the tutorial's recipe draws what its table says", () => {
  const page = readPage('docs/tutorialRecipe.md');
  const chart = parseChart(blocksOf(page).find(({ language }) => language === 'mermaid')!.code);
  const rows = [...page.matchAll(/^\| \d+ \|.*\|$/gm)].map(([row]) => row.split('|').map((cell) => cell.trim()));
  const column = (index: number) => rows.map((cells) => Number.parseFloat(cells[index]!));
  expect(rows).toHaveLength(30);
  expect(chart).toMatchObject({ xTitle: 'epoch', yTitle: '%', lines: [column(3), column(5)] });
});

test('other diagrams are left as they are', () => {
  expect(parseChart('flowchart LR\n  a --> b\n')).toBeUndefined();
});
