/** SHA-256 in parts, beside Node's. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createHash } from 'node:crypto';
import { Sha256, sha256Text } from '../../src/sha256.ts';
import { someBytes } from '../helpers/file-server.ts';

const test = suite('Sha256');

test('gives the digests that the standard lists', () => {
  assert.is(sha256Text(''), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  assert.is(sha256Text('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.is(sha256Text('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'),
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1');
});

test('gives what Node gives for every length around a block, cut anywhere', () => {
  for (let length = 0; length < 200; length++) {
    const bytes = someBytes(length), expected = createHash('sha256').update(bytes).digest('hex');
    for (const cut of [0, 1, length >> 1, 63, 64, 65]) {
      const hash = new Sha256();
      hash.update(bytes.subarray(0, cut));
      hash.update(bytes.subarray(Math.min(cut, length)));
      assert.is(hash.digest(), expected, `${length} bytes cut at ${cut}`);
    }
  }
});

test.run();
