import type { Random } from '../../src/random';

/** What a hostile or broken file may hold in any place. */
const odd: readonly unknown[] = [
  ...[null, true, false, 0, -0, 1, -1, 2, 3, 0.5, 127, 255, 1e-300, 1e308, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53)],
  ...[
    '',
    '0',
    '1',
    '-1',
    'same',
    'valid',
    'float16',
    'float32',
    'uint8',
    'int32',
    'Const',
    'conv1',
    '__proto__',
    '../x',
  ],
  ...[
    'constructor',
    'toString',
    'Functional',
    'Sequential',
    'Conv2D',
    'Identity',
    'Zm9v',
    '%%%',
    '/etc/passwd',
    'x:0',
    '^x',
  ],
  ...[
    [],
    {},
    [1],
    [[]],
    [[[['conv1', 0, 0, {}]]]],
    ['conv1', 0, 0],
    [3, 3, 3, 4],
    [0],
    [-1],
    [1e9, 1e9],
    { s: 'U0FNRQ==' },
  ],
  ...[
    { dtype: 'uint8', scale: 1, min: 0 },
    { dtype: 'int8', channelAxes: 1 },
    { list: { i: ['1', '2'] } },
    { f: 1e308 },
  ],
];

// biome-ignore lint/suspicious/noExplicitAny: the point is to write what types forbid.
type Loose = any;

type Place = readonly [parent: Loose, key: string];

/** A copy of some JSON, changed in one or two places: another value, none, one twice, or two exchanged. */
export function mutateJson<T>(json: T, random: Random): T {
  const copy = structuredClone(json);
  for (let change = 0; change <= random.integer(2); change++) {
    const [parent, key] = randomPlace(copy, random);
    const [otherParent, otherKey] = randomPlace(copy, random);
    switch (random.integer(8)) {
      case 0:
        delete parent[key];
        break;
      case 1:
        if (Array.isArray(parent))
          parent.splice(random.integer(parent.length + 1), 0, structuredClone(parent[Number(key)]));
        break;
      case 2:
        set(parent, key, structuredClone(otherParent[otherKey]));
        break;
      case 3:
        set(parent, '__proto__', { polluted: true });
        break;
      default:
        set(parent, key, structuredClone(odd[random.integer(odd.length)]));
    }
  }
  return copy;
}

/** An own key, though its name be `__proto__`; lists stay lists. */
function set(parent: Loose, key: string, value: unknown): void {
  Object.defineProperty(parent, key, { value, writable: true, enumerable: true, configurable: true });
}

/** Down from the root, at each step into any child, until there is none or chance says stop. */
function randomPlace(json: Loose, random: Random): Place {
  let parent = json;
  for (;;) {
    const keys = Object.keys(parent);
    const key = keys[random.integer(Math.max(1, keys.length))] ?? 'new';
    const child = parent[key];
    const isInner = typeof child === 'object' && child !== null && Object.keys(child).length > 0;
    if (!isInner || random.integer(8) === 0) return [parent, key];
    parent = child;
  }
}
