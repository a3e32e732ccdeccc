import { type Classification, type Classifier, createClassifier, MobilenetError } from '../../index';
import { EXIT, type ExitCode, print, printJson, type Session, say } from '../session';
import { withModel } from '../shared/models';
import { percent } from '../shared/text';
import type { ClassifyOptions } from './classifyOptions';
import { type PictureSource, pictureSources } from './pictureSources';

/** As many as the classifier reads ahead. */
const GROUP = 32;

/** What a single picture can be guilty of; any other error would come with all of them. */
const UNREADABLE: readonly string[] = ['invalid-data', 'file-system', 'download-failed'];

/** Prints the classes of each picture, in the order of the pictures. */
export function classify(options: ClassifyOptions, session: Session): Promise<ExitCode> {
  const { precision, threads } = options;
  const { signal } = session;
  return withModel(options.model, signal, async (model) => {
    const running = { precision, signal, ...(threads !== undefined && { threads }) };
    const classifier = await createClassifier(model, running);
    try {
      return await classifyAll(classifier, options, session);
    } finally {
      await classifier.dispose();
    }
  });
}

async function classifyAll(
  classifier: Classifier,
  { pictures, topK, json }: ClassifyOptions,
  session: Session,
): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const refuse = (name: string, reason: string) => {
    exitCode = EXIT.failure;
    say(session, reason.startsWith(name) ? reason : `${name}: ${reason}`);
    if (json) printJson(session, { picture: name, error: reason });
  };
  for await (const sources of pictureSources(pictures, () => session.stdin)) {
    for (let start = 0; start < sources.length; start += GROUP) {
      const group = sources.slice(start, start + GROUP);
      const results = await classifyGroup(classifier, group, { topK, signal: session.signal });
      group.forEach(({ name }, i) => {
        const result = results[i]!;
        if (typeof result === 'string') refuse(name, result);
        else if (json) printJson(session, { picture: name, classes: result });
        else print(session, `${name}: ${wordsOf(result)}`);
      });
    }
  }
  return exitCode;
}

interface RunOptions {
  topK: number;
  signal: AbortSignal;
}

/** The classes of each picture, or why there are none. */
async function classifyGroup(
  classifier: Classifier,
  group: readonly PictureSource[],
  options: RunOptions,
): Promise<(Classification[] | string)[]> {
  const images = group.flatMap((source) => ('image' in source ? [source.image] : []));
  const results = (await classifyImages(classifier, images, options)).values();
  return group.map((source) => ('image' in source ? results.next().value! : source.refusal));
}

/** The classes of each picture, or why it could not be read: all at once, which is faster, and else one by one. */
async function classifyImages(
  classifier: Classifier,
  images: readonly (string | Uint8Array)[],
  options: RunOptions,
): Promise<(Classification[] | string)[]> {
  try {
    return await classifier.classifyBatch(images, options);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
  const oneByOne = images.map((image) =>
    classifier.classify(image, options).catch((error) => {
      if (isUnreadable(error)) return error.message;
      throw error;
    }),
  );
  return Promise.all(oneByOne);
}

function isUnreadable(error: unknown): error is MobilenetError {
  return error instanceof MobilenetError && UNREADABLE.includes(error.code);
}

function wordsOf(found: readonly Classification[]): string {
  return found.map(({ className, probability }) => `${className} ${percent(probability)}`).join(', ');
}
