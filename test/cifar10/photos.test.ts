import '@tensorflow/tfjs-backend-cpu';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { cifar10Classifier, cifar10Models } from '../../src/cifar10';

// The test pictures of CIFAR-10 as JPEG files, test/<class>/0000.jpg to 0999.jpg; not part of the project.
const archive = fileURLToPath(new URL('../../../shared/cifar10/cifar10-jpeg.tar.gz', import.meta.url));
const missing = !existsSync(archive);
const reason = missing ? ' (skipped: ../shared/cifar10 is missing)' : '';
const models = fileURLToPath(new URL('../../models/cifar10', import.meta.url));

describe.skipIf(missing)(`every tenth test picture${reason}`, () => {
  let photos: Photo[];
  beforeAll(async () => {
    await setBackend('cpu');
    photos = readPhotos();
  });

  // The accuracy on 1,000 of 10,000 pictures has a standard deviation of at most 1.6 points.
  test.each(cifar10Models)('alpha $alpha reaches $accuracy, within 4 standard deviations', async (model) => {
    expect(photos).toHaveLength(1000);
    const classifier = await cifar10Classifier({ alpha: model.alpha, url: models });
    const found = await classifier.classifyBatch(
      photos.map(({ bytes }) => bytes),
      { topK: 1 },
    );
    await classifier.dispose();
    const right = found.filter(([best], i) => best!.className === photos[i]!.className).length;
    const deviation = Math.sqrt((model.accuracy * (1 - model.accuracy)) / photos.length);
    expect(Math.abs(right / photos.length - model.accuracy)).toBeLessThan(4 * deviation);
  });
});

interface Photo {
  className: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** A tar file is blocks of 512 bytes: a header with name and octal size, then the content. */
function readPhotos(): Photo[] {
  const tar = gunzipSync(readFileSync(archive));
  const photos: Photo[] = [];
  const textAt = (start: number, length: number) => tar.toString('latin1', start, start + length).replace(/\0.*$/s, '');
  for (let at = 0; tar[at] !== 0; ) {
    const size = Number.parseInt(textAt(at + 124, 12), 8);
    const [, className] = /^test\/(\w+)\/\d+0\.jpg$/.exec(textAt(at, 100)) ?? [];
    if (className) photos.push({ className, bytes: new Uint8Array(tar.subarray(at + 512, at + 512 + size)) });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return photos;
}
