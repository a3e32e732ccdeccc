import type { Classification, Classifier } from 'mobilenet-v1-ts';

/** A classifier's call that waits until it is given up, or told to answer. */
export function heldUp(classes: Classification[]) {
  const begun: (() => void)[] = [];
  let answer = () => {};
  const answered = new Promise<Classification[]>((resolve) => {
    answer = () => resolve(classes);
  });
  let count = 0;
  let tellGivenUp = (_reason: string) => {};
  const givenUp = new Promise<string>((resolve) => {
    tellGivenUp = resolve;
  });
  const classify: Classifier['classify'] = (_image, { signal } = {}) => {
    count++;
    for (const look of begun) look();
    return new Promise((resolve, reject) => {
      answered.then(resolve);
      signal?.addEventListener('abort', () => {
        tellGivenUp(signal.reason.message);
        reject(signal.reason);
      });
    });
  };
  return Object.assign(classify, {
    answer,
    givenUp,
    /** Resolves when so many calls have come. */
    begun: (calls = 1) =>
      new Promise<void>((resolve) => {
        const look = () => count >= calls && resolve();
        begun.push(look);
        look();
      }),
  });
}
