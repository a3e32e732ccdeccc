import { refuse } from '../../io/refuse';
import { Activation } from './schema';

/** What a MobileNetV1's layers may end in: nothing, ReLU or ReLU6. */
export function checkActivation(where: string, name: string, activation: number): void {
  const known: readonly number[] = Object.values(Activation);
  if (known.includes(activation)) return;
  refuse(where, `${name} to end in NONE, RELU or RELU6`, `activation ${activation} of TFLite's schema`);
}
