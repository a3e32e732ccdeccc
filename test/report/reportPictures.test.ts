import { describe, expect, test } from 'vitest';
import { inMemoryDataset } from '../../src/data/imageDataset';
import { reportPictures } from '../../src/report/reportPictures';

describe('reportPictures', () => {
  const datasetOf = (height: number, width: number, channels: number) => {
    const bytes = height * width * channels;
    const images = Uint8Array.from({ length: 3 * bytes }, (_, i) => Math.floor(i / bytes) * 50 + 7);
    return inMemoryDataset({ images, labels: [2, 0, 1], height, width, channels, classNames: ['a', 'b', 'c'] });
  };

  test('small pictures are copied as they are, in the order of the indices', async () => {
    const dataset = datasetOf(2, 3, 1);
    const [second, first] = await reportPictures(dataset, [1, 0]);
    expect(second).toEqual({ data: new Uint8Array(6).fill(57), height: 2, width: 3, channels: 1, label: 0 });
    expect(first).toMatchObject({ data: new Uint8Array(6).fill(7), label: 2 });
  });

  test('large ones become 128 pixels along the longer side, with their aspect ratio', async () => {
    const [picture] = await reportPictures(datasetOf(100, 256, 3), [2]);
    expect(picture).toEqual({
      data: new Uint8Array(50 * 128 * 3).fill(107),
      height: 50,
      width: 128,
      channels: 3,
      label: 1,
    });
  });
});
