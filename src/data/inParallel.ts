/**
 * Runs a task for each of 0 to `count - 1`, at most `limit` of them at a time, begun in this order.
 *
 * After an error no other task is begun; it is thrown when those that run have ended, so that nothing goes on behind the
 * caller's back.
 */
export async function inParallel(count: number, limit: number, task: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async () => {
    try {
      while (next < count) await task(next++);
    } catch (error) {
      next = count;
      throw error;
    }
  };
  const workers = Array.from({ length: Math.min(limit, count) }, work);
  for (const result of await Promise.allSettled(workers)) if (result.status === 'rejected') throw result.reason;
}
