/** deploy/Dockerfile: what is in the image, and as whom it runs. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { readCompose, readText, ROOT } from './read-compose.ts';

type Instruction = { readonly name: string; readonly words: readonly string[] };

const instructions = parseDockerfile(readText('deploy/Dockerfile'));
const ignored = readText('.dockerignore')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

/** Of all instructions of that name, in order. */
function all(name: string): (readonly string[])[] {
  return instructions.filter((instruction) => instruction.name === name).map(({ words }) => words);
}

/** @see https://docs.docker.com/reference/dockerfile/ : `\` continues a line, `#` begins a comment. */
function parseDockerfile(text: string): Instruction[] {
  return text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = '', ...words] = line.trim().split(/\s+/);
      return { name, words };
    });
}

/** What is copied, by its first name in the repository. */
function copied(): string[] {
  return all('COPY').flatMap((words) => words.slice(0, -1));
}

describe('the image', () => {
  test('has the Node that the tests run on, and no other', () => {
    expect(all('FROM')).toEqual([[`node:${packageJson.dependencies.node}-bookworm-slim`]]);
    const installs = all('RUN').filter((words) => words.includes('ci'));
    expect(installs).toHaveLength(1);
    expect(installs[0]).toEqual(expect.arrayContaining(['npm', 'ci', '--omit=dev', '--ignore-scripts']));
  });

  test('installs packages before the program is copied, which changes more often', () => {
    const names = instructions.map(({ name, words }) => `${name} ${words[0]}`);
    expect(names.indexOf('COPY package.json')).toBeLessThan(names.indexOf('RUN npm'));
    expect(names.indexOf('RUN npm')).toBeLessThan(names.indexOf('COPY src'));
  });

  test('is made of what is there and sent to the builder', () => {
    expect(copied().filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(ignored[0]).toBe('*');
    expect(ignored.slice(1).toSorted()).toEqual(
      copied()
        .map((path) => `!${path}`)
        .toSorted(),
    );
  });

  test('has all that the program reads outside of src', () => {
    const missing: string[] = [];
    for (const file of sources()) {
      for (const [, path = ''] of readText(file).matchAll(/'((?:\.\.\/)+[^']*)'/g)) {
        const [top = ''] = relative(ROOT, resolve(ROOT, dirname(file), path)).split('/');
        if (!copied().includes(top)) missing.push(`${file}: ${path}`);
      }
    }
    // `demo --kafka` starts the local stack of deploy/, which is for a developer's machine.
    expect(missing.filter((line) => !line.startsWith('src/commands/demo/'))).toEqual([]);
  });

  test('runs the command line as a user that is not root, and takes signals itself', () => {
    expect(all('USER').at(-1)).toEqual(['1000:1000']);
    const [directory] = all('WORKDIR')[0] ?? [];
    expect(all('ENTRYPOINT').map((words) => JSON.parse(words.join(' ')) as string[])).toEqual([
      ['node', `${directory}/src/cli.ts`],
    ]);
    for (const { user, image } of Object.values(readCompose().services))
      if (image.startsWith('foretill:')) expect(user).toBe('1000:1000');
  });

  test('has a data directory of that user where the services keep theirs', () => {
    const dir = readCompose().services['ingest']?.environment?.['FORETILL_DIR'];
    expect(all('ENV')).toContainEqual([`FORETILL_DIR=${dir}`]);
    expect(all('VOLUME')).toEqual([[dir]]);
    expect(all('RUN')[0]?.join(' ')).toContain(`install -d -o node -g node -m 0750 ${dir}`);
  });
});

function sources(): string[] {
  return readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join('src', file));
}
