import type { ImageDataset } from '../../index';
import type { TrainOptions } from './trainOptions';

/** Of a class. Of fewer a fresh network learns next to nothing that holds for other pictures. */
const FEW = 10;

/** A sentence where a folder's pictures are few and a pretrained network could be taken, but is not; else undefined. */
export function adviceOnFew(
  { size, classNames }: Pick<ImageDataset, 'size' | 'classNames'>,
  { pretrained, resume, limit }: Pick<TrainOptions, 'pretrained' | 'resume' | 'limit'>,
): string | undefined {
  // Who limits them for a try has more; who goes on has chosen.
  if (pretrained !== undefined || resume !== undefined || limit !== undefined) return undefined;
  if (size >= FEW * classNames.length) return undefined;
  const remedy = '--pretrained keras, a new head on features of ImageNet, learns far more from them';
  return `Fewer than ${FEW} pictures a class teach a fresh network little: ${remedy}.`;
}
