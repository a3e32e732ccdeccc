import type { Program } from './blocks';

/**
 * The lines that a program says it prints: what stands in a comment behind `console.log(...);`, and the blocks that
 * show its output.
 */
export function answersOf({ code, prints }: Pick<Program, 'code' | 'prints'>): string[] {
  const comments = [...code.matchAll(/^ *console\.log\(.*\); \/\/ (.+)$/gm)].map((match) => match[1]!);
  return [...comments, ...prints];
}

/**
 * The first answer that does not stand in the output, behind the one before it; undefined where all do.
 *
 * `…` stands for anything, as what depends on the machine. `anyNumber` lets every number stand for any other, for figures of
 * trainings that were cut short. Blocks of output come behind the comments: each kind is looked for from the start.
 */
export function missingAnswer(program: Pick<Program, 'code' | 'prints'>, output: string, anyNumber: boolean) {
  const lines = output.split('\n');
  for (const answers of [answersOf({ code: program.code, prints: [] }), program.prints]) {
    let from = 0;
    for (const answer of answers) {
      const pattern = patternOf(answer, anyNumber);
      const found = lines.findIndex((line, i) => i >= from && pattern.test(line));
      if (found < 0) return answer;
      from = found + 1;
    }
  }
  return undefined;
}

function patternOf(answer: string, anyNumber: boolean): RegExp {
  const escaped = answer.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const numbers = anyNumber ? escaped.replaceAll(/\d+(\\\.\d+)?/g, '(\\d+(\\.\\d+)?|NaN)') : escaped;
  return new RegExp(`^\\s*${numbers.replaceAll('…', '.*').replaceAll(/ +/g, ' +')}\\s*$`);
}
