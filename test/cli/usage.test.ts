import { describe, expect, test, vi } from 'vitest';
import { version } from '../../package.json';
import { createProgram } from '../../src/cli/program';
import { RECIPES } from '../../src/cli/train/trainOptions';
import { recipes } from '../../src/index';
import { run } from './harness';

const COMMANDS = ['train', 'evaluate', 'classify', 'summary', 'convert', 'bench'];

describe('help', () => {
  test('lists the commands and the exit codes, on stdout', async () => {
    const { code, stdout, stderr } = await run(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect(stdout).toContain('Exit codes: 0 done, 1 failed, 2 wrong arguments, 130 interrupted');
  });

  test.each(COMMANDS)('%s --help has examples, of which each parses', async (command) => {
    const { code, stdout } = await run([command, '--help']);
    expect(code).toBe(0);
    const examples = [...stdout.matchAll(/npx mobilenet-v1-ts (.*)/g)].map(([, example]) => example!);
    expect(examples.length).toBeGreaterThanOrEqual(3);
    for (const example of examples) {
      expect(example).toMatch(new RegExp(`^${command}\\b`));
      // What follows two spaces explains, and what follows a bar is another program.
      const words = example.split(/ {2,}| \| /)[0]!.split(' ');
      const onTask = vi.fn();
      createProgram({ stdout: { write() {} }, stderr: { write() {} } }, onTask).parse(words, { from: 'user' });
      expect(onTask, example).toHaveBeenCalledOnce();
    }
  });

  test('train --help tells which pictures are taken where none are named', async () => {
    const { stdout } = await run(['train', '--help']);
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      "(default: 'cifar10'; where there is no network, 'synthetic' needs none)",
    );
  });

  test('help <command> and --version', async () => {
    expect((await run(['help', 'train'])).stdout).toBe((await run(['train', '--help'])).stdout);
    expect(await run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('wrong arguments end with 2, and say what is meant', () => {
  const cases: [args: string, message: string][] = [
    ['', 'Usage: mobilenet-v1-ts'],
    ['trian', 'Did you mean train?'],
    ['train --alhpa 1', 'Did you mean --alpha?'],
    ['train --recipe quik', 'Allowed choices are quick, best, paper, tutorial.'],
    ['train --alpha 0', 'Expected a number above 0.'],
    ['train --epochs 1.5', 'Expected an integer of at least 1.'],
    ['train --seed -1', 'Expected an integer of at least 0.'],
    ['train --validation-split 1', 'Expected a number from 0 to below 1.'],
    ['train --epochs 1 --minutes 1', "'--epochs <number>' cannot be used with option '--minutes <number>'"],
    ['train --pretrained keras --recipe quick', "cannot be used with option '--recipe <name>'"],
    ['train --weights w.h5', '--weights goes with --pretrained'],
    ['train pets --data others', "given twice, as 'pets' and by --data 'others'"],
    ['train a b', 'too many arguments'],
    ['evaluate', "missing required argument 'model'"],
    ['evaluate model', 'missing the pictures: give --data'],
    ['classify model', "missing required argument 'pictures'"],
    ['classify model a.png --top-k 0', 'Expected an integer of at least 1.'],
    ['classify model a.png --precision int4', 'Allowed choices are float32, int8.'],
    ['summary model --alpha 1', 'give a model, or options that describe a network'],
    ['convert model', "missing required argument 'out'"],
    ['convert model out.onx', "no format goes by the name 'out.onx': say it by --to <format>"],
    ['convert model out.keras --quantize int8', '--quantize int8 is not for keras: tfjs takes float16 and int8'],
    ['convert model https://example.com/m.onnx', "onnx is written to a file, not to 'https://example.com/m.onnx'"],
    ['convert model https://example.com/m --to h5', 'an address takes a tfjs model only'],
    ['train synthetic --out m.json', "--out: expected a folder for the model, received 'm.json'"],
    ['train synthetic --out=', "--out: expected a folder for the model, received ''"],
    ['train synthetic --out https://example.com/m', "received 'https://example.com/m'"],
    ['train synthetic --out LICENSE', "received 'LICENSE'"],
    [
      'train . --out pets/model',
      "--out: expected a folder outside of ., in which each folder is a class, received 'pets/model'",
    ],
    ['train .', "received 'trained-model'. Name another"],
    ['train pets --out pets', '--out: expected a folder outside of pets'],
    ['train file:///pets --out /pets/m', '--out: expected a folder outside of file:///pets'],
    ['train pets --out m --report pets/r', '--report: expected a folder outside of pets'],
    ['train pets --out m --checkpoint pets/c', '--checkpoint: expected a folder outside of pets'],
    ['train pets --out m --resume pets/c/step-00000001', '--resume: expected a folder outside of pets'],
    [
      'train pets --out file://host/m',
      "option '--out <folder>' argument 'file://host/m' is invalid. File URL host must be",
    ],
    ['train pets --report file:///a%2Fb', "option '--report <folder>' argument 'file:///a%2Fb' is invalid."],
    ['train /pets --out file:///pets/m', "outside of /pets, in which each folder is a class, received '/pets/m'"],
    ['bench --seconds nothing', 'Expected a number above 0.'],
  ];
  test.each(cases)('%s', async (line, message) => {
    const { code, stdout, stderr } = await run(line.split(' ').filter((word) => word !== ''));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});

test('the recipes are those of the library', () => {
  expect([...RECIPES].sort()).toEqual(Object.keys(recipes).sort());
});
