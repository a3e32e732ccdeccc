'use client';

import '@tensorflow/tfjs-backend-cpu';
import * as mobilenet from 'mobilenet-v1-ts';
import * as trained from 'mobilenet-v1-ts/cifar10';
import { useEffect } from 'react';
import { classifyTrained, job } from '../shared/job.mjs';
import { show } from '../shared/show.mjs';

/** Here and on the server. */
async function both() {
  const here = { ...(await job(mobilenet)), trained: await classifyTrained(mobilenet, trained) };
  const response = await fetch('/api/job');
  return [here, await response.json()];
}

export function Trainer() {
  useEffect(() => void show(both), []);
  return (
    <pre>
      <output>…</output>
    </pre>
  );
}
