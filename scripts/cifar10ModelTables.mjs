import { readFileSync, writeFileSync } from 'node:fs';

const card = new URL('../docs/cifar10ModelCard.md', import.meta.url);

/** @typedef {import('../src/cifar10.ts').Cifar10ModelInfo} Cifar10ModelInfo */

/**
 * What the model card says of the models, as Markdown: a table of figures, one of classes, and the commands.
 *
 * @param {readonly Cifar10ModelInfo[]} models
 */
export function modelTables(models) {
  const classNames = Object.keys(models[0]?.perClass ?? {});
  const figures = table(
    [
      'alpha',
      'stem stride',
      'parameters',
      'files, MB',
      'accuracy',
      'with the mirror image',
      'recipe',
      'epochs',
      'minutes',
      'seed',
    ],
    models.map((model) => [
      model.alpha,
      model.stemStride,
      model.parameters.toLocaleString('en'),
      (model.bytes / 1e6).toFixed(2),
      percent(model.accuracy),
      percent(model.accuracyWithFlip),
      `\`${model.recipe}\``,
      model.epochs,
      model.minutes.toFixed(1),
      model.seed,
    ]),
  );
  const classes = table(
    ['accuracy by class', ...models.map(({ alpha }) => `alpha ${alpha}`)],
    classNames.map((name) => [name, ...models.map(({ perClass }) => percent(perClass[name] ?? Number.NaN))]),
  );
  const commands = ['```sh', ...models.map(({ command }) => command), '```'].join('\n');
  return [figures, classes, commands].join('\n\n');
}

/** The part of the card that is made, between two comments. */
export function cardTables() {
  return split().tables;
}

/** @param {readonly Cifar10ModelInfo[]} models */
export function writeModelTables(models) {
  const { before, after } = split();
  writeFileSync(card, `${before}\n${modelTables(models)}\n\n${after}`);
}

function split() {
  const [, before = '', tables = '', after = ''] =
    /^(.*<!-- models -->\n)(.*?)(<!-- end -->.*)$/s.exec(readFileSync(card, 'utf8')) ?? [];
  if (before === '')
    throw new Error(`${card.pathname} has no comments <!-- models --> and <!-- end --> around the tables.`);
  return { before, tables: tables.trim(), after };
}

/**
 * @param {string[]} head
 * @param {(string | number)[][]} rows
 */
function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** @param {number} fraction */
function percent(fraction) {
  return `${(100 * fraction).toFixed(2)} %`;
}
