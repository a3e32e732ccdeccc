// What the engine should reach with one picture, or a batch of small ones, as ratios of rows of one run.

/** @typedef {import('./inferenceRuns.mjs').InferenceRow} InferenceRow */

/**
 * @typedef {object} Ratio
 * @property {'ratio'} bench
 * @property {string} name
 * @property {InferenceRow['where']} where
 * @property {string} version of Node or Chromium
 * @property {number} value
 * @property {string} goal
 * @property {boolean} met
 */

/** @param {Partial<InferenceRow>} wanted */
const is = (wanted) => (/** @type {InferenceRow} */ row) =>
  Object.entries(wanted).every(([key, value]) => row[/** @type {keyof InferenceRow} */ (key)] === value);

/**
 * The engine's milliseconds: themselves where there is no peer, else divided by the peer's.
 *
 * @typedef {object} Goal
 * @property {Partial<InferenceRow>} engine
 * @property {Partial<InferenceRow>} [peer]
 * @property {'medianMs' | 'loadMs'} [of] medianMs where it is not said
 * @property {number} atMost
 */

/** @param {Partial<InferenceRow>} row @returns {Partial<InferenceRow>} */
const ofAlpha1 = (row) => ({ model: 'alpha1-224', batchSize: 1, precision: 'float32', threads: 1, ...row });
/** @param {Partial<InferenceRow>} row @returns {Partial<InferenceRow>} */
const ofAlphaQuarter = (row) => ({ ...ofAlpha1(row), model: 'alpha0.25-224' });
/** @param {Partial<InferenceRow>} row @returns {Partial<InferenceRow>} */
const ofSmallPictures = (row) => ({ ...ofAlpha1({ threads: 2, ...row }), model: 'alpha1-32', batchSize: 128 });

/** @type {Goal[]} */
const goals = [
  { engine: ofAlpha1({}), atMost: 24 },
  { engine: ofAlpha1({}), peer: ofAlpha1({ runtime: 'tfjs-graph' }), atMost: 0.72 },
  { engine: ofAlpha1({}), peer: ofAlpha1({ runtime: 'tfjs-layers' }), atMost: 0.5 },
  { engine: ofAlpha1({}), peer: ofAlpha1({ runtime: 'onnxruntime-web' }), atMost: 0.5 },
  { engine: ofAlpha1({ threads: 2 }), atMost: 13 },
  { engine: ofAlpha1({ threads: 2 }), peer: ofAlpha1({ threads: 2, runtime: 'onnxruntime-web' }), atMost: 0.45 },
  { engine: ofAlphaQuarter({}), peer: ofAlphaQuarter({ runtime: 'litert' }), atMost: 0.9 },
  { engine: ofAlpha1({ precision: 'int8' }), atMost: 10 },
  { engine: ofAlpha1({ precision: 'int8' }), peer: ofAlpha1({ precision: 'int8', runtime: 'litert' }), atMost: 0.5 },
  { engine: ofAlpha1({ precision: 'int8' }), peer: ofAlpha1({ runtime: 'onnxruntime-node' }), atMost: 1.4 },
  // Of two cores tfjs uses one.
  { engine: ofSmallPictures({}), peer: ofSmallPictures({ runtime: 'tfjs-layers', threads: 1 }), atMost: 0.3 },
  { engine: ofSmallPictures({}), peer: ofSmallPictures({ runtime: 'tfjs-graph', threads: 1 }), atMost: 0.3 },
  { engine: ofSmallPictures({}), peer: ofSmallPictures({ runtime: 'onnxruntime-web' }), atMost: 0.3 },
  ...[1, 2].flatMap((threads) =>
    /** @type {const} */ (['float32', 'int8']).map((precision) => ({
      engine: ofAlpha1({ threads, precision }),
      of: /** @type {const} */ ('loadMs'),
      atMost: 100,
    })),
  ),
];

/**
 * Every goal that these rows can tell of, for each Node or browser that they come from.
 *
 * @param {InferenceRow[]} rows
 * @returns {Ratio[]}
 */
export function ratiosOf(rows) {
  const versions = [...new Set(rows.map(({ version }) => version))];
  return versions.flatMap((version) => goals.flatMap((goal) => ratiosOfGoal(goal, rows.filter(is({ version })))));
}

/**
 * @param {Goal} goal
 * @param {InferenceRow[]} rows
 * @returns {Ratio[]} one or none
 */
function ratiosOfGoal({ engine, peer, of = 'medianMs', atMost }, rows) {
  const own = rows.find(is({ ...engine, runtime: 'engine' }));
  const other = peer && rows.find(is(peer));
  if (!own || (peer && !other)) return [];
  const { where, version, model, precision, threads } = own;
  const value = own[of] / (other?.[of] ?? 1);
  const against = other ? `against ${other.runtime} (${other.precision}, ${other.threads})` : milliseconds[of];
  const name = `${model}, ${precision}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, ${against}`;
  return [{ bench: 'ratio', name, where, version, value, goal: `at most ${atMost}`, met: value <= atMost }];
}

const milliseconds = { medianMs: 'in ms', loadMs: 'until ready, in ms' };
