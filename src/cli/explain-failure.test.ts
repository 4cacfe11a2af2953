import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { explainFailure } from './explain-failure.ts';

test('a taken port is named, with a way out', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  const [error] = await once(createServer().listen(port, '127.0.0.1'), 'error');
  expect(explainFailure(error)).toBe(
    `Port ${port} is in use. Stop what listens there, or choose another: PORT=4030 npm start`,
  );
});

test.each<[string, unknown, RegExp]>([
  ['our own words stay alone', new Error('Stop it first.'), /^Stop it first\.$/],
  ['a bug keeps its stack', new TypeError('x is not a function'), /explain-failure\.test\.ts/],
  [
    'a peer that does not answer points to the doctor',
    Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' }),
    /127\.0\.0\.1:1\n"npm run doctor"/,
  ],
  [
    'a folder that cannot be written is named',
    Object.assign(new Error('EACCES'), { code: 'EACCES', path: '/srv/farebox' }),
    /^\/srv\/farebox cannot be written\. .*DATA_DIR/,
  ],
  ['what is no error is shown', 'gone', /^gone$/],
])('a failed command is explained: %s', (_what, error, expected) => {
  expect(explainFailure(error)).toMatch(expected);
});
