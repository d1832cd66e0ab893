/** Names of the Hub, and where a server may send us. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hubAddress, isPinned, redirected, resolvedAddress } from '../../src/hub/address.ts';

const test = suite('addresses');

test('a mirror stands in for the Hub', () => {
  assert.is(hubAddress('hf:o/r/f.gguf', 'http://mirror.test:8080/hub/'),
    'http://mirror.test:8080/hub/o/r/resolve/main/f.gguf');
});

test('a repository alone is a folder, where a folder is asked for', () => {
  assert.is(hubAddress('hf:o/r', undefined, true), 'https://huggingface.co/o/r/resolve/main/');
  assert.is(hubAddress('hf:o/r@v2', undefined, true), 'https://huggingface.co/o/r/resolve/v2/');
  assert.throws(() => hubAddress('hf:o/r'), /expected hf:/);
});

test('the page of a repository, or of a file in it, stands for its files', () => {
  const of = (rest: string): string => `https://huggingface.co/o/r${rest}`;
  for (const [page, address] of [
    ['', '/resolve/main/'], ['/', '/resolve/main/'], ['/tree/v2', '/resolve/v2/'],
    ['/tree/v2/sub', '/resolve/v2/sub/'], ['/blob/main/a/f.gguf', '/resolve/main/a/f.gguf'],
    ['/resolve/main/f.gguf', '/resolve/main/f.gguf'], ['/raw/main/f', '/raw/main/f'],
  ]) assert.is(resolvedAddress(of(page)), of(address));
  for (const other of ['https://models.test/o/r', 'data:,x', 'a/b'])
    assert.is(resolvedAddress(other), other);
});

test('names that would leave the repository are refused', () => {
  for (const name of ['hf:../r/f', 'hf:o/../f', 'hf:o/r/../../x', 'hf:o/r/a/./b', 'hf://o/r/f', 'hf:o'])
    assert.throws(() => hubAddress(name), /expected hf:/, name);
});

test('only a commit is an address whose file cannot change', () => {
  const commit = '0123456789abcdef0123456789abcdef01234567';
  assert.ok(isPinned(hubAddress(`hf:o/r/f@${commit}`)));
  assert.not.ok(isPinned(hubAddress('hf:o/r/f@v1.0')));
});

test('a redirect goes on in the web, and not into this machine', () => {
  assert.is(redirected('https://a.test/x/y', '../z'), 'https://a.test/z');
  assert.is(redirected('https://a.test/', 'https://b.test/f?s=1'), 'https://b.test/f?s=1');
  assert.is(redirected('http://127.0.0.1:1/', 'http://127.0.0.1:2/f'), 'http://127.0.0.1:2/f');
  const unsafe = (error: { code: string }): boolean => error.code === 'UNSAFE_REDIRECT';
  for (const to of ['http://b.test/', 'file:///etc/passwd', 'data:,x', 'http://['])
    assert.throws(() => redirected('https://a.test/', to), unsafe, to);
  for (const host of ['localhost', '127.1.2.3', '10.0.0.1', '192.168.1.1', '172.20.0.1', '169.254.169.254',
    '[::1]', '[fd00::1]', '2130706433', '[::ffff:127.0.0.1]'])
    assert.throws(() => redirected('https://a.test/', `https://${host}/`), unsafe, host);
});

test.run();
