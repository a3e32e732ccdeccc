import { count, counted, decimal, percent } from './format';
import { type Html, html } from './html';
import type { ReportEvaluation, TrainingReport } from './trainingReport';

/** Larger matrices are neither readable nor small. */
const LARGEST_MATRIX = 30;
const CONFUSIONS_SHOWN = 20;

/** The confusion matrix beside the accuracy of each class; nothing without an evaluation. */
export function evaluationSection({ evaluation, classNames }: TrainingReport): Html | undefined {
  if (evaluation === undefined) return undefined;
  const { name = 'validation', epoch, accuracy, loss, confusionMatrix } = evaluation;
  const pictures = sum(confusionMatrix.map(sum));
  const isSmall = classNames.length <= LARGEST_MATRIX;
  return html`<section aria-labelledby="evaluation">
<h2 id="evaluation">How it does, class by class</h2>
<p class="note">${counted(pictures, 'picture')} of the ${name} set${epoch !== undefined && `, after epoch ${epoch}`}: accuracy ${percent(accuracy)}, loss ${decimal(loss, 4)}.</p>
<div class="columns ${isSmall && 'matrix-and-classes'}">
${isSmall ? matrixTable(evaluation, classNames) : confusionsTable(evaluation, classNames)}
${perClassTable(evaluation)}
</div>
</section>`;
}

function matrixTable({ confusionMatrix }: ReportEvaluation, classNames: readonly string[]): Html {
  const rows = confusionMatrix.map((row, truth) => {
    const size = sum(row);
    const cells = row.map((pictures, predicted) => matrixCell(pictures, size, truth === predicted));
    return html`<tr><th scope="row">${classNames[truth]}</th>${cells}</tr>
`;
  });
  return html`<div class="scroll card" role="region" aria-label="Confusion matrix" tabindex="0">
<table class="matrix">
<caption>Confusion matrix: a row for each label, a column for each prediction</caption>
<thead><tr><td></td>${classNames.map((name) => html`<th scope="col"><span>${name}</span></th>`)}</tr></thead>
<tbody>
${rows}</tbody>
</table>
</div>`;
}

/** Right ones are coloured by their share of the row, wrong ones by its square root, as theirs are small. */
function matrixCell(pictures: number, ofRow: number, isRight: boolean): Html {
  const share = pictures / Math.max(1, ofRow);
  const level = Math.ceil(10 * (isRight ? share : Math.sqrt(share)));
  return html`<td class="${isRight ? 'right' : 'wrong'} level-${level}">${pictures}</td>`;
}

function confusionsTable({ confusionMatrix }: ReportEvaluation, classNames: readonly string[]): Html {
  const ofRows = confusionMatrix.map(sum);
  const confusions = confusionMatrix
    .flatMap((row, truth) =>
      row.flatMap((pictures, predicted) =>
        pictures > 0 && truth !== predicted ? [{ truth, predicted, pictures, ofRow: ofRows[truth]! }] : [],
      ),
    )
    .sort((a, b) => b.pictures - a.pictures)
    .slice(0, CONFUSIONS_SHOWN);
  const rows = confusions.map(
    ({ truth, predicted, pictures, ofRow }) =>
      html`<tr><th scope="row">${classNames[truth]}</th><td class="text">${classNames[predicted]}</td><td>${count(pictures)}</td><td>${percent(pictures / ofRow, 1)}</td></tr>
`,
  );
  return html`<div class="scroll card" role="region" aria-label="Most frequent confusions" tabindex="0">
<table>
<caption>Most frequent confusions</caption>
<thead><tr><th scope="col">Label</th><th scope="col" class="text">Taken for</th><th scope="col">Pictures</th><th scope="col">Of the class</th></tr></thead>
<tbody>
${rows}</tbody>
</table>
</div>`;
}

function perClassTable({ perClass }: ReportEvaluation): Html {
  const isLong = perClass.length > LARGEST_MATRIX;
  const rows = perClass.map(({ className, accuracy, size }) => {
    const value = Number.isFinite(accuracy) ? accuracy : 0;
    return html`<tr><th scope="row">${className}</th><td>${count(size)}</td>
<td class="bar"><meter min="0" max="1" value="${value}" aria-label="Accuracy for ${className}"></meter></td><td>${percent(accuracy, 1)}</td></tr>
`;
  });
  return html`<div class="scroll card ${isLong && 'tall'}" role="region" aria-label="Accuracy of each class" tabindex="0">
<table class="per-class">
<caption>Accuracy of each class</caption>
<thead><tr><th scope="col">Class</th><th scope="col">Pictures</th><th scope="col" colspan="2">Accuracy</th></tr></thead>
<tbody>
${rows}</tbody>
</table>
</div>`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
