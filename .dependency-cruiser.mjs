// Floors of the house, from the ground up (docs/architecture.md). A file imports from its own folder and from
// floors below it only; nothing points back up, and nothing goes round in a circle.
const floors = [
  ['errors', 'random'],
  ['backend', 'inputRange', 'platform', 'kernels', 'model/architecture'],
  ['model', 'data', 'graph'],
  ['engine', 'io'],
  ['report', 'formats'],
  ['train', 'classify'],
  ['index', 'cifar10'],
  ['cli'],
];

const path = (names) => `^src/(${names.join('|')})(\\.ts|/)`;

const rules = floors.flatMap((floor, level) =>
  floor.map((name) => ({
    name: `${name}-looks-down`,
    severity: 'error',
    // The architecture table lives in model/ but lies a floor below the rest of it.
    from: { path: path([name]), ...(name === 'model' && { pathNot: path(['model/architecture']) }) },
    to: { path: '^src/', pathNot: path([name, ...floors.slice(0, level).flat()]) },
  })),
);

export default {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'only-the-node-twin-and-the-command-line-see-node',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/(platform/node\\w*\\.ts$|cli/)' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'the-command-line-is-built-on-what-users-have',
      severity: 'error',
      from: { path: path(['cli']) },
      to: { path: '^src/', pathNot: path(['cli', 'index', 'cifar10', 'platform']) },
    },
    ...rules,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
  },
};
