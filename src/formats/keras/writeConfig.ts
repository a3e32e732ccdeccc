import type { ChainToWrite, LayerToWrite } from './kerasChain';

/** A model's configuration for the `config.json` of a `.keras` file. */
export function writeConfig(chain: ChainToWrite): object {
  const { input, layers } = chain;
  const registration = { module: 'keras.layers', registered_name: null };
  const first = {
    ...registration,
    class_name: 'InputLayer',
    config: { batch_shape: input.shape, dtype: input.dtype, sparse: false, ragged: false, name: input.name },
    name: input.name,
    inbound_nodes: [],
  };
  const others = layers.map((layer, i) => ({
    ...registration,
    ...layerEntry(layer),
    build_config: { input_shape: layer.inputShape },
    inbound_nodes: [{ args: [symbolicTensor(chain, i)], kwargs: {} }],
  }));
  return {
    module: 'keras.src.models.functional',
    class_name: 'Functional',
    config: modelConfig(chain, [first, ...others]),
    registered_name: 'Functional',
  };
}

/** What goes into a layer: the output of the one before it. */
function symbolicTensor({ input, layers }: ChainToWrite, i: number): object {
  const config = {
    shape: layers[i]!.inputShape,
    dtype: input.dtype,
    keras_history: [nameBefore(layers, i, input.name), 0, 0],
  };
  return { class_name: '__keras_tensor__', config };
}

/** A model's configuration for the `model_config` of an `.h5` file, as Keras 2 writes it. */
export function writeLegacyConfig(chain: ChainToWrite): object {
  const { input, layers } = chain;
  const first = {
    class_name: 'InputLayer',
    config: { batch_input_shape: input.shape, dtype: input.dtype, sparse: false, ragged: false, name: input.name },
    name: input.name,
    inbound_nodes: [],
  };
  const others = layers.map((layer, i) => ({
    ...layerEntry(layer),
    inbound_nodes: [[[nameBefore(layers, i, input.name), 0, 0, {}]]],
  }));
  const { trainable: _, ...config } = modelConfig(chain, [first, ...others]);
  return { class_name: 'Functional', config };
}

function layerEntry({ name, className, settings, trainable }: LayerToWrite) {
  return { class_name: className, config: { name, trainable, dtype: 'float32', ...settings }, name };
}

function modelConfig({ name, input, layers }: ChainToWrite, entries: readonly object[]) {
  return {
    name,
    // Keras sets what is here for all layers, so that it must be left open where some are frozen.
    trainable: layers.every(({ trainable }) => trainable) ? true : null,
    layers: entries,
    input_layers: [[input.name, 0, 0]],
    output_layers: [[layers.at(-1)!.name, 0, 0]],
  };
}

function nameBefore(layers: readonly LayerToWrite[], i: number, inputName: string): string {
  return i === 0 ? inputName : layers[i - 1]!.name;
}
