// What lets a page share memory between threads.
const headers = [
  { key: 'Cross-Origin-Opener-Policy', value: 'same-origin' },
  { key: 'Cross-Origin-Embedder-Policy', value: 'require-corp' },
];

export default {
  headers: async () => [{ source: '/:path*', headers }],
  // On the server Node loads them: webpack would give a trained model's files the addresses that a browser asks for. All of
  // them, so that there is one copy of tfjs.
  serverExternalPackages: [
    'mobilenet-v1-ts',
    '@tensorflow/tfjs-backend-cpu',
    '@tensorflow/tfjs-core',
    '@tensorflow/tfjs-layers',
  ],
};
