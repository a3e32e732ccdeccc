import type { ClassifierEvaluation, TestTimeAugmentation } from '../../index';
import { grouped, percent, table } from '../shared/text';

/** With more classes a confusion matrix is wider than any terminal. */
const MAX_COLUMNS = 20;

/** What was measured. */
export interface Measured {
  model: string;
  dataset: string;
  pictures: number;
  testTimeAugmentation: TestTimeAugmentation | undefined;
}

const VIEWS = {
  flip: 'for a picture and its mirror image',
  flipAndShift: 'for a picture, its mirror image and both shifted by a pixel',
} as const satisfies Record<TestTimeAugmentation, string>;

/** Tables for people. */
export function evaluationText(evaluation: ClassifierEvaluation, measured: Measured): string {
  const { loss, accuracy, perClass, confusionMatrix } = evaluation;
  const { dataset, pictures, testTimeAugmentation } = measured;
  const how = testTimeAugmentation ? `, by the mean ${VIEWS[testTimeAugmentation]}` : '';
  const names = perClass.map(({ className }) => className);
  const classes = perClass.map(({ className, accuracy, size }) => [className, percent(accuracy), grouped(size)]);
  return [
    `${percent(accuracy)} of ${grouped(pictures)} pictures of ${dataset} classified right${how}; loss ${loss.toFixed(4)}`,
    '',
    table(['class', 'right', 'pictures'], classes),
    '',
    names.length > MAX_COLUMNS
      ? `The confusion matrix of ${names.length} classes is in the output of --json.`
      : confusionTable(names, confusionMatrix),
  ].join('\n');
}

function confusionTable(names: readonly string[], matrix: readonly (readonly number[])[]): string {
  const rows = matrix.map((row, k) => [names[k]!, ...row.map((count) => (count === 0 ? '.' : String(count)))]);
  return table(['is \\ was taken for', ...names], rows);
}
