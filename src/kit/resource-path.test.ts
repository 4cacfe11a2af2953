import { expect, test } from 'vitest';
import { parseResourcePath, toResourceUrl } from './resource-path.ts';

test('the URL of a resource is read back as its creator and slug', () => {
  const url = toResourceUrl('', 'ada-2', 'a-b-c');
  expect(url).toBe('/@ada-2/a-b-c');
  expect(parseResourcePath(url)).toEqual({ creator: 'ada-2', slug: 'a-b-c', query: '' });
  expect(parseResourcePath(`${url}?x=/@b/c?y`)).toMatchObject({ slug: 'a-b-c', query: 'x=/@b/c?y' });
});

test.each(['/@Ada/X-1', '/@ada/x-1/', '/%40ada/x-1', '/%40ADA/X%2D1/', '/@%61da/%78-%31'])(
  '%s names the resource in another spelling',
  (path) => {
    expect(parseResourcePath(`${path}?Q=%41/`)).toEqual({ creator: 'ada', slug: 'x-1', query: 'Q=%41/' });
  },
);

test.each([
  '/@ad/x',
  '/@ada-/x',
  '/@a--a/x',
  `/@${'a'.repeat(31)}/x`,
  '/@ada/',
  '/@ada/-x',
  '/@ada/x_y',
  `/@ada/${'x'.repeat(61)}`,
  '/@ada/x/y',
  '/@ada',
  '/@ada/x//',
  '//@ada/x',
  '/@ada%2Fx',
  '/%2540ada/x',
  '/@ada/%2e%2e/x',
  '/@ada/x%00',
  '/@ada/x%20',
])('no resource can have the path %s', (path) => {
  expect(parseResourcePath(path)).toBeNull();
});

test.each(['/@ada/x-1@3', '/@ada/x-1@3/', '/%40ADA/X-1%403'])('%s names version 3 of a resource', (path) => {
  expect(parseResourcePath(`${path}?q=1`)).toEqual({ creator: 'ada', slug: 'x-1', version: 3, query: 'q=1' });
});

test.each(['/@ada/x-1@', '/@ada/x-1@0', '/@ada/x-1@03', '/@ada/x-1@3@4', '/@ada/x-1@-1', '/@ada/x-1@9999999999'])(
  '%s names no version',
  (path) => {
    expect(parseResourcePath(path)).toBeNull();
  },
);
