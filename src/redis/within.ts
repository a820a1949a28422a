/**
 * Settles as the promise does; where that takes longer than `limitMs`, with what `late` returns or throws. What the promise
 * comes to after that is nobody's any more, also where it rejects.
 */
export async function within<T>(limitMs: number, promise: Promise<T>, late: () => T): Promise<T> {
  promise.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<T>((resolve, reject) => {
    timer = setTimeout(() => {
      try {
        resolve(late());
      } catch (error) {
        reject(error as Error);
      }
    }, limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
