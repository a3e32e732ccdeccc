import { decimal, percent } from './format';
import { type Html, html } from './html';
import type { ReportMistake, ReportPicture, TrainingReport } from './trainingReport';

/** Bytes that are made characters at once: a call takes as many arguments in every engine. */
const CHUNK = 8192;

/** The grid of sample pictures; nothing where there are none. */
export function samplesSection({ samples, classNames }: TrainingReport): Html | undefined {
  if (samples.length === 0) return undefined;
  const figures = samples.map((picture) => {
    const name = nameOf(classNames, picture.label);
    return pictureFigure(picture, `Picture of ${name}`, html`${name}`);
  });
  return html`<section aria-labelledby="samples">
<h2 id="samples">Sample pictures</h2>
<p class="note">From the training set, with their labels.</p>
<div class="pictures samples">${figures}</div>
</section>`;
}

/** The most confident mistakes; nothing where there are none. */
export function mistakesSection({ mistakes = [], classNames }: TrainingReport): Html | undefined {
  if (mistakes.length === 0) return undefined;
  return html`<section aria-labelledby="mistakes">
<h2 id="mistakes">Most confident mistakes</h2>
<p class="note">Label, then what the model takes the picture for, and how probable it finds that.</p>
<div class="pictures">${mistakes.map((mistake) => mistakeFigure(mistake, classNames))}</div>
</section>`;
}

function mistakeFigure({ picture, label, predicted, probability }: ReportMistake, classNames: readonly string[]): Html {
  const [truth, guess] = [nameOf(classNames, label), nameOf(classNames, predicted)];
  return pictureFigure(
    picture,
    `Picture of ${truth}, taken for ${guess}`,
    html`${truth} <span class="guess">→ ${guess}</span> <small>${percent(probability, 1)}</small>`,
  );
}

function pictureFigure({ data, width, height, channels }: ReportPicture, description: string, caption: Html): Html {
  return html`<figure><canvas role="img" aria-label="${description}" width="${width}" height="${height}"
 data-channels="${channels}" data-pixels="${base64(data)}"></canvas><figcaption>${caption}</figcaption></figure>`;
}

function nameOf(classNames: readonly string[], label: number): string {
  return classNames[label] ?? `class ${decimal(label, 0)}`;
}

function base64(bytes: Uint8Array): string {
  const parts = Array.from({ length: Math.ceil(bytes.length / CHUNK) }, (_, i) =>
    String.fromCharCode(...bytes.subarray(i * CHUNK, (i + 1) * CHUNK)),
  );
  return btoa(parts.join(''));
}
