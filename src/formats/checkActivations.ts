import { fail } from '../errors';
import { type Activation, describeActivation, sameActivation } from './activation';
import type { FileUnit, ModelUnit } from './fitUnit';
import type { Sides } from './heads';
import type { ModelLayer } from './modelLayers';
import type { WeightedLayer } from './networkWeights';

/**
 * Throws `invalid-argument` where another activation stands behind a layer of the model than the weights were trained
 * with. What either side does not tell is not compared.
 */
export function checkActivations(where: string, { model, file }: Sides): void {
  const pairs = model.flatMap((unit, i) => pairsOf(unit, file[i]!));
  const wrong = pairs
    .map(comparedActivations)
    .find(({ own, trained }) => own && trained && !sameActivation(own, trained));
  if (!wrong) return;
  fail({
    code: 'invalid-argument',
    where,
    expected: `${describeActivation(wrong.trained!)} behind layer '${wrong.name}', as in the network of these weights`,
    received: describeActivation(wrong.own!),
    remedy: 'Build the model with the same activations; to train it further, { ignoreActivations: true } will do.',
  });
}

type Pair = readonly [model: ModelLayer | undefined, file: WeightedLayer | undefined];

/** Kernels with a batch norm behind them on both sides, and the last layers of both units. */
function pairsOf(model: ModelUnit, file: FileUnit): Pair[] {
  const kernels: Pair[] = model.norm && file.norm ? [[model.kernel, file.kernel]] : [];
  return [...kernels, [model.norm ?? model.kernel, file.norm ?? file.kernel]];
}

function comparedActivations([model, file]: Pair, i: number, { length }: readonly Pair[]) {
  const [own, trained] = [model?.activation, file?.activation];
  // At the end the model may give probabilities or scores, as its user likes.
  const isEnd = i === length - 1;
  return { name: model?.name, own: isEnd ? scores(own) : own, trained: isEnd ? scores(trained) : trained };
}

/** What a softmax makes probabilities of. */
function scores(activation: Activation | undefined): Activation | undefined {
  const last = activation?.at(-1);
  return last?.kind === 'function' && /^(log)?softmax$/.test(last.name) ? activation!.slice(0, -1) : activation;
}
