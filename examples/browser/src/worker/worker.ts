import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { exportModel } from './exportModel';
import { classify, loadModelFiles, openModel, usePretrained } from './modelInUse';
import { countParameters } from './network';
import { drawFigure } from './runPictures';
import { serve } from './serve';
import { teach } from './teach';
import { continueRun, discardRun, savedRun, startRun, stopRun, trainingElsewhereEnded } from './trainingRun';

// Everything that computes: the page itself only shows. On the cpu backend the library trains and classifies in its own
// kernels, in workers that it starts from here.

const ready = setBackend('cpu');

serve({
  environment: () => ({
    isolated: crossOriginIsolated,
    // As many as the library takes.
    threads: crossOriginIsolated ? Math.min(8, navigator.hardwareConcurrency) : 1,
  }),
  countParameters,
  drawFigure,
  async openModel() {
    await ready;
    return openModel();
  },
  usePretrained,
  loadModelFiles,
  exportModel,
  classify,
  startRun,
  continueRun,
  stopRun,
  savedRun,
  trainingElsewhereEnded,
  discardRun,
  teach,
});
