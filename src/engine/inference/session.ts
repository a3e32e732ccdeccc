import { fasterInt8Tile } from '../fasterInt8Tile';
import { fasterTileRows } from '../fasterTileRows';
import { pixelsOf } from '../memory';
import { createPassTimer, type PassTime } from '../passTimer';
import type { WorkerEnvironment } from '../workerLoop';
import type { InferencePlan } from './plan';
import { type InferenceContext, runPass } from './runPass';
import { scalePixels, writeScaling } from './scalePixels';
import { tensorBytes } from './tensors';

/** What every thread is started with. */
export interface InferenceInit {
  readonly kind: 'inference';
  readonly plan: InferencePlan;
  readonly threads: number;
  /** As `planInference` packs them; the first thread has them. */
  readonly weights?: Uint8Array;
}

/** What a session can be told to do; every thread gets the same command. */
export interface InferenceCommand {
  /** The outputs of pictures, or the highest value that each pass puts out. */
  readonly kind: 'run' | 'observe';
  readonly images: number;
  /** `[images,H,W,C]` of 0 to 255; the first thread has them. */
  readonly pixels?: Uint8Array | Float32Array;
  readonly isFloat: boolean;
  readonly profile?: boolean;
}

/** What `run` gives. */
export interface InferenceOutcome {
  /** `[images, ...outputs]` */
  readonly outputs: Float32Array;
  readonly profile: PassTime[] | undefined;
}

/** Makes one thread's session; all threads of an engine make theirs from the same `init`. */
export function createInferenceSession(environment: WorkerEnvironment, init: InferenceInit) {
  const { kernels, memory, thread, barrier } = environment;
  const { plan, threads } = init;
  const { input, output, groupSize } = plan;
  const scratch = plan.scratch + thread * plan.scratchBytes;
  const context: InferenceContext = {
    kernels,
    plan,
    thread,
    threads,
    scratch,
    tileRows: 4,
    int8Tile: { tileRows: 4, variant: 0 },
  };
  if (init.weights) {
    new Uint8Array(memory.buffer).set(init.weights, plan.weights);
    new Float32Array(memory.buffer, plan.ones, plan.channels).fill(1);
    writeScaling(memory, plan);
  }
  barrier();

  /** Pictures `[first,first + images)` of the command as the first pass reads them. */
  const load = ({ pixels, isFloat }: InferenceCommand, first: number, images: number) => {
    const values = pixelsOf(input.size) * plan.pictureChannels;
    if (pixels) {
      const group = pixels.subarray(first * values, (first + images) * values);
      if (isFloat) new Float32Array(memory.buffer, plan.pixels).set(group);
      else new Uint8Array(memory.buffer).set(group, plan.pixels);
    }
    barrier();
    scalePixels(context, memory, images, isFloat);
  };

  const run = (command: InferenceCommand): InferenceOutcome => {
    const timer = createPassTimer(barrier, command.profile === true);
    const values = pixelsOf(output.size) * output.size.channels;
    const outputs = new Float32Array(thread === 0 ? command.images * values : 0);
    for (let first = 0; first < command.images; first += groupSize) {
      const images = Math.min(groupSize, command.images - first);
      timer.pass('input', 'forward', () => load(command, first, images));
      for (const pass of plan.passes) timer.pass(pass.name, 'forward', () => runPass(context, pass, images));
      // The others wait in `load` until this is done.
      if (thread === 0) readOutputs(memory, plan, images, outputs.subarray(first * values));
    }
    return { outputs, profile: timer.times };
  };

  const observe = (command: InferenceCommand): Float32Array => {
    const { passes } = plan;
    const highest = new Float32Array(command.images * passes.length);
    for (let image = 0; image < command.images; image++) {
      load(command, image, 1);
      barrier();
      passes.forEach((pass, i) => {
        runPass(context, pass, 1);
        barrier();
        // Padding holds zeros; what lies below zero is of no interest.
        const count = tensorBytes(pass.output) / 4;
        if (thread === 0) highest[image * passes.length + i] = kernels.f32Maximum(pass.output.offset, 0, count);
      });
      barrier();
    }
    return highest;
  };

  return {
    run: (command: InferenceCommand) => (command.kind === 'run' ? run(command) : observe(command)),
    afterStart: () => measureTiles(context),
  };
}

/** Finds the fastest tiles for the kind of products that the plan is made of; the other kind is a few, or none. */
function measureTiles(context: InferenceContext): void {
  const { kernels, plan, scratch } = context;
  if (plan.passes.some(({ input }) => input.type === 'uint8')) context.int8Tile = fasterInt8Tile(kernels, scratch);
  else context.tileRows = fasterTileRows(kernels, scratch);
}

/** Copies the values of the last tensor without its padding. */
function readOutputs(memory: WebAssembly.Memory, { output }: InferencePlan, images: number, to: Float32Array): void {
  const rows = images * pixelsOf(output.size);
  const { channels } = output.size;
  const stored = new Float32Array(memory.buffer, output.offset, rows * output.channels);
  for (let row = 0; row < rows; row++) {
    to.set(stored.subarray(row * output.channels, row * output.channels + channels), row * channels);
  }
}
