import { fail } from '../errors';

/**
 * A package that only some formats need, on use: `npm install` brings it (optionalDependencies), unless it was told not to.
 *
 * @throws {MobilenetError} `missing-backend`
 */
export async function loadPackage<Exports>(
  where: string,
  name: string,
  load: () => Promise<Exports>,
): Promise<Exports> {
  try {
    return await load();
  } catch (error) {
    fail({
      code: 'missing-backend',
      where,
      expected: `the package ${name}, which this format needs`,
      received: (error as Error).message,
      remedy: `Run: npm install ${name}`,
      cause: error,
    });
  }
}
