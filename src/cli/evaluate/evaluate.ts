import type { LayersModel } from '@tensorflow/tfjs-layers';
import { evaluateClassifier, getModelMetadata, type ImageDataset, type TestTimeAugmentation } from '../../index';
import { EXIT, type ExitCode, print, printJson, type Session, say } from '../session';
import { type FolderReading, loadPictures } from '../shared/datasets';
import { withModel } from '../shared/models';
import { withProgressBar } from '../shared/progressBar';
import { percent } from '../shared/text';
import type { EvaluateOptions } from './evaluateOptions';
import { evaluationText } from './evaluationText';

/** Measures a model and prints what came out. */
export function evaluate(options: EvaluateOptions, session: Session): Promise<ExitCode> {
  const { flip = false, flipAndShift = false, limit, threads, json } = options;
  const testTimeAugmentation: TestTimeAugmentation | undefined = flipAndShift
    ? 'flipAndShift'
    : flip
      ? 'flip'
      : undefined;
  return withModel(options.model, session.signal, async (model) => {
    const pictures = await loadPictures(options.data, readingFor(model), limit, session);
    const dataset = pictures.test ?? pictures.train;
    warnOfOtherClasses(model, dataset, session);
    warnOfOtherResizing(model, dataset, session);
    const evaluation = await withProgressBar(session, pictures.name, (report) =>
      evaluateClassifier(model, dataset, {
        ...(testTimeAugmentation && { testTimeAugmentation }),
        ...(threads !== undefined && { threads }),
        signal: session.signal,
        onBatch: ({ images, size }) => report(images, size),
      }),
    );
    const what = { model: options.model, dataset: pictures.name, pictures: dataset.size, testTimeAugmentation };
    if (json) printJson(session, { ...what, ...evaluation });
    else print(session, evaluationText(evaluation, what));
    return EXIT.ok;
  });
}

/** Pictures as the model takes them, and its classes in its order. */
function readingFor(model: LayersModel): FolderReading {
  const { inputShape, classNames, fit } = getModelMetadata(model);
  const [height, width, channels] = model.inputs[0]!.shape.slice(1).map((length, i) => length ?? inputShape?.[i]);
  return { size: [height ?? 224, width ?? 224], channels: channels === 1 ? 1 : 3, fit, classNames };
}

/** Figures of a model that was trained on something else mean little. */
function warnOfOtherClasses(model: LayersModel, { classNames }: ImageDataset, session: Session): void {
  const own = getModelMetadata(model).classNames;
  if (own === undefined || own.join('\n') === classNames.join('\n')) return;
  say(session, `The model's classes are ${own.join(', ')}; those of the pictures are ${classNames.join(', ')}.`);
}

/** A folder's pictures are taken whole and resized by one filter, whatever `classify` does with them for this model. */
function warnOfOtherResizing(model: LayersModel, { resizing }: ImageDataset, session: Session): void {
  const { cropFraction = 1, interpolation = 'bilinear' } = getModelMetadata(model);
  if (!resizing || (cropFraction === resizing.cropFraction && interpolation === resizing.interpolation)) return;
  const own = `${percent(cropFraction)} of each side, ${interpolation}`;
  const here = `${percent(resizing.cropFraction)}, ${resizing.interpolation}`;
  say(session, `For this model classify resizes pictures otherwise (${own}) than they are measured here (${here}).`);
}
