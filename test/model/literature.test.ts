import { describe, expect, test } from 'vitest';
import { describeMobilenetV1 } from '../../src/model/describeMobilenetV1';

// Exact counts beside what the literature prints, for 1000 classes. Multiply-adds and parameters of the paper (arXiv
// 1704.04861, tables 6 and 7) and of TF-slim (research/slim/nets/mobilenet_v1.md) are in millions.
interface Size {
  alpha: number;
  pixels: number;
  multiplyAdds: number;
  parameters: number;
  trainable: number;
  paper?: [multiplyAdds: number, parameters: number];
  slim: [multiplyAdds: number, parameters: number];
}

const table: Size[] = [
  row(1, 224, 568_740_352, 4_253_864, 4_231_976, [569, 4.24], [569, 4.2]),
  row(1, 192, 418_121_728, 4_253_864, 4_231_976, [418, 4.24], [418, 4.2]),
  row(1, 160, 290_675_200, 4_253_864, 4_231_976, [291, 4.24], [290, 4.2]),
  row(1, 128, 186_400_768, 4_253_864, 4_231_976, [186, 4.24], [186, 4.2]),
  row(0.75, 224, 325_400_448, 2_601_976, 2_585_560, [317, 2.59], [325, 2.6]),
  row(0.75, 192, 239_273_472, 2_601_976, 2_585_560, [233, 2.59]),
  row(0.75, 160, 166_396_800, 2_601_976, 2_585_560, [162, 2.59]),
  row(0.75, 128, 106_770_432, 2_601_976, 2_585_560, [104, 2.59]),
  row(0.5, 224, 149_497_088, 1_342_536, 1_331_592, [150, 1.34], [149, 1.3]),
  row(0.5, 192, 109_970_432, 1_342_536, 1_331_592, [110, 1.34]),
  row(0.5, 160, 76_524_800, 1_342_536, 1_331_592, [77, 1.34]),
  row(0.5, 128, 49_160_192, 1_342_536, 1_331_592, [49, 1.34]),
  row(0.25, 224, 41_030_272, 475_544, 470_072, [41, 0.47], [41, 0.5]),
  row(0.25, 192, 30_212_608, 475_544, 470_072, [34, 0.47]),
  row(0.25, 160, 21_059_200, 475_544, 470_072, [21, 0.47]),
  row(0.25, 128, 13_570_048, 475_544, 470_072, [14, 0.47]),
];

describe('exact counts', () => {
  test.each(table)('alpha $alpha at $pixels: $multiplyAdds multiply-adds, $parameters parameters', (size) => {
    const { alpha, pixels, multiplyAdds, parameters, trainable } = size;
    const description = describeMobilenetV1({ alpha, inputShape: [pixels, pixels, 3] });
    expect(description).toMatchObject({ multiplyAdds, parameters, trainableParameters: trainable });
    const byResolution = describeMobilenetV1({ alpha, resolutionMultiplier: pixels / 224 });
    expect(byResolution.layers).toEqual(description.layers);
  });
});

describe('what the literature prints is the exact count, rounded, but for these places', () => {
  test('the paper: multiply-adds', () => {
    expect(differences((size) => [size.multiplyAdds / 1e6, size.paper?.[0]])).toEqual([
      'alpha 1 at 160: exact 290.68, printed 290', // cut off, not rounded
    ]);
  });

  test('the paper: parameters, which are the trainable ones', () => {
    expect(differences((size) => [size.trainable / 1e6, size.paper?.[1]])).toEqual([]);
    expect(at224(differences((size) => [size.parameters / 1e6, size.paper?.[1]]))).toEqual([
      'alpha 1 at 224: exact 4.25, printed 4.2',
    ]);
  });

  test('TF-slim: multiply-adds', () => {
    expect(differences((size) => [size.multiplyAdds / 1e6, size.slim[0]])).toEqual([
      'alpha 0.75 at 224: exact 325.40, printed 317',
      'alpha 0.75 at 192: exact 239.27, printed 233',
      'alpha 0.75 at 160: exact 166.40, printed 162',
      'alpha 0.75 at 128: exact 106.77, printed 104',
      'alpha 0.5 at 224: exact 149.50, printed 150', // 149.497
      'alpha 0.25 at 192: exact 30.21, printed 34',
    ]);
  });

  test('TF-slim: parameters, which are now the trainable ones and now all', () => {
    expect(at224(differences((size) => [size.trainable / 1e6, size.slim[1]]))).toEqual([
      'alpha 1 at 224: exact 4.23, printed 4.24',
      'alpha 0.5 at 224: exact 1.33, printed 1.34',
    ]);
    expect(at224(differences((size) => [size.parameters / 1e6, size.slim[1]]))).toEqual([
      'alpha 1 at 224: exact 4.25, printed 4.24',
      'alpha 0.75 at 224: exact 2.60, printed 2.59',
      'alpha 0.25 at 224: exact 0.48, printed 0.47',
    ]);
  });

  test("the paper's table 2, shares of multiply-adds: the 3x3 convolution has 1.91 %, not 1.19 %", () => {
    const { layers, multiplyAdds } = describeMobilenetV1();
    const share = (prefix: string) => {
      const sum = layers
        .filter(({ name }) => name.startsWith(prefix))
        .reduce((all, layer) => all + layer.multiplyAdds, 0);
      return ((100 * sum) / multiplyAdds).toFixed(2);
    };
    expect(['conv_pw_', 'conv_dw_', 'conv1', 'conv_preds'].map(share)).toEqual(['94.86', '3.06', '1.91', '0.18']);
  });
});

/** Parameters do not depend on the resolution; one place for each alpha is enough. */
function at224(places: string[]): string[] {
  return places.filter((place) => place.includes('at 224'));
}

/** The places where a printed number is not the exact one, rounded to as many digits. */
function differences(pick: (size: Size) => [exact: number, printed: number | undefined]): string[] {
  return table.flatMap((size) => {
    const [exact, printed] = pick(size);
    if (printed === undefined) return [];
    const digits = `${printed}`.split('.')[1]?.length ?? 0;
    if (Number(exact.toFixed(digits)) === printed) return [];
    return [`alpha ${size.alpha} at ${size.pixels}: exact ${exact.toFixed(2)}, printed ${printed}`];
  });
}

function row(
  alpha: number,
  pixels: number,
  multiplyAdds: number,
  parameters: number,
  trainable: number,
  slim: Size['slim'],
  paper?: Size['paper'],
): Size {
  return { alpha, pixels, multiplyAdds, parameters, trainable, slim, paper };
}
