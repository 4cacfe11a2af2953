import { expect, test } from 'vitest';
import { parseResourcePath, toResourceUrl } from './resource-path.ts';

test('the URL of a resource is read back as its creator and slug', () => {
  const url = toResourceUrl('', 'ada-2', 'a-b-c');
  expect(url).toBe('/@ada-2/a-b-c');
  expect(parseResourcePath(url)).toEqual({ creator: 'ada-2', slug: 'a-b-c', query: '' });
  expect(parseResourcePath(`${url}?x=/@b/c?y`)).toMatchObject({ slug: 'a-b-c', query: 'x=/@b/c?y' });
});

test.each([
  '/@ad/x',
  '/@Ada/x',
  '/@ada-/x',
  '/@a--a/x',
  `/@${'a'.repeat(31)}/x`,
  '/@ada/',
  '/@ada/-x',
  '/@ada/x_y',
  `/@ada/${'x'.repeat(61)}`,
  '/@ada/x/',
  '/@ada/x/y',
  '/@ada',
  '/%40ada/x',
  '/@ada/x%20',
])('no resource can have the path %s', (path) => {
  expect(parseResourcePath(path)).toBeNull();
});
