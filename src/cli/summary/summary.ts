import { describeMobilenetV1, type MobilenetV1Description } from '../../index';
import { EXIT, type ExitCode, print, printJson, type Session } from '../session';
import { withModel } from '../shared/models';
import { toNetwork } from '../shared/networkOptions';
import { grouped, table } from '../shared/text';
import { describeModel } from './describeModel';
import type { SummaryOptions } from './summaryOptions';

/** Prints the layers of a network. */
export async function summary(options: SummaryOptions, session: Session): Promise<ExitCode> {
  const { model, json } = options;
  const description =
    model === undefined
      ? describeMobilenetV1(toNetwork(options))
      : await withModel(model, session.signal, async (loaded) => describeModel(loaded));
  if (json) printJson(session, description);
  else print(session, toText(description));
  return EXIT.ok;
}

type Description = Omit<MobilenetV1Description, 'toString'>;

function toText({ layers, parameters, trainableParameters, multiplyAdds }: Description): string {
  const rows = layers.map((layer) => [
    layer.name,
    layer.kind,
    layer.outputShape
      .slice(1)
      .map((length) => length ?? '?')
      .join(' x '),
    grouped(layer.parameters),
    grouped(layer.multiplyAdds),
  ]);
  return [
    table(['Layer', 'Kind', 'Output', 'Parameters', 'Multiply-adds'], rows, 2),
    '',
    `Parameters:    ${grouped(parameters)}, of them trainable ${grouped(trainableParameters)}`,
    `Multiply-adds: ${grouped(multiplyAdds)}`,
  ].join('\n');
}
