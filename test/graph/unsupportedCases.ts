import { type LayersModel, layers } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { unsupportedOf } from './chains';

/** The layer that is named as the reason, its class, the reason, and a model with it. */
export type UnsupportedCase = [layerName: string, className: string, reason: string, build: () => LayersModel];

export function testUnsupported(cases: readonly UnsupportedCase[]): void {
  for (const [layerName, className, reason, build] of cases) {
    test(`'${layerName}' (${className}) ${reason}`, () => {
      expect(unsupportedOf(build())).toEqual({ layerName, className, reason });
    });
  }
}

/** Of the layer that is the reason. */
export const name = 'it';
/** Of the pictures. */
export const shape = [4, 4, 2];

export const conv = (more: object = {}) => layers.conv2d({ filters: 2, kernelSize: 2, ...more });
export const dense = (more: object = {}) => layers.dense({ units: 3, ...more });
export const flatten = (more: object = {}) => layers.flatten(more);
export const pad = (more: object = {}) => layers.zeroPadding2d(more);
export const reshape = (targetShape: number[]) => layers.reshape({ targetShape });
export const head = () => [flatten(), dense()];
