import type { StageGraph, WeightRef } from '../graph/stage';
import type { WeightRole } from './optimizer';

/** What each weight is for, in the order of `model.weights`; undefined for moving statistics, and what no stage uses. */
export function weightRoles(graph: StageGraph): (WeightRole | undefined)[] {
  const roles: (WeightRole | undefined)[] = graph.weights.map(() => undefined);
  const give = (ref: WeightRef | undefined, role: WeightRole) => {
    if (ref) roles[ref.index] = role;
  };
  for (const stage of graph.stages) {
    if (stage.kind === 'conv') give(stage.kernel, 'kernel');
    if (stage.kind === 'depthwise') give(stage.kernel, 'depthwise');
    give(stage.bias, 'bias');
    give(stage.batchNorm?.gamma, 'batchNorm');
    give(stage.batchNorm?.beta, 'batchNorm');
  }
  return roles;
}
