import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  nodeFiles, readFileChecked, sweepTemporaries, writeFileAtomic, type FilePort, type OpenFile,
} from '../../src/cli/files.ts';
import { CheckpointError, ModelFileError } from '../../src/errors.ts';

interface Context {
  directory: string;
}

/** A suite whose tests each get an empty directory. */
function suiteWithDirectory(name: string) {
  const test = suite<Context>(name);
  test.before.each((context) => {
    context.directory = mkdtempSync(join(tmpdir(), 'onebit-files-'));
  });
  test.after.each((context) => rmSync(context.directory, { recursive: true, force: true }));
  return test;
}

const OLD = Uint8Array.from({ length: 50 }, () => 1);
const NEW = Uint8Array.from({ length: 90 }, (_, i) => i);
const read = (path: string): Uint8Array => new Uint8Array(readFileSync(path));

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('expected a rejection');
}

type Fault = (k: number, name: string) => string | undefined;

/**
 * The real file system, writing at most 40 bytes at once, in which `fault` decides by number and
 * name which operation fails, and with what code. A failing close closes all the same.
 */
function faulty(fault: Fault): { port: FilePort; log: string[]; openFiles: Set<OpenFile> } {
  const log: string[] = [];
  const openFiles = new Set<OpenFile>();
  const step = async <T>(name: string, run: () => Promise<T>): Promise<T> => {
    log.push(name);
    const code = fault(log.length, name);
    if (code === undefined) return run();
    if (name.startsWith('close')) await run();
    throw Object.assign(new Error(`${code}: injected`), { code });
  };
  const wrap = (file: OpenFile, kind: string): OpenFile => {
    openFiles.add(file);
    return {
      write: (bytes) => step('write', () => file.write(bytes.subarray(0, 40))),
      sync: () => step(`sync ${kind}`, () => file.sync()),
      close: () => step(`close ${kind}`, () => {
        openFiles.delete(file);
        return file.close();
      }),
    };
  };
  const port: FilePort = {
    open: (path, flags) => step(`open ${flags}`, async () =>
      wrap(await nodeFiles.open(path, flags), flags === 'r' ? 'directory' : 'file')),
    rename: (from, to) => step('rename', () => nodeFiles.rename(from, to)),
    unlink: (path) => step('unlink', () => nodeFiles.unlink(path)),
  };
  return { port, log, openFiles };
}

const write = suiteWithDirectory('writeFileAtomic');

write('creates a file and replaces it, and leaves nothing else', async ({ directory }) => {
  const path = join(directory, 'model');
  for (const bytes of [OLD, NEW, new Uint8Array(0)]) {
    await writeFileAtomic(path, bytes);
    assert.equal(read(path), bytes);
    assert.equal(readdirSync(directory), ['model']);
  }
});

write('writes, forces to disk, closes, renames and forces the directory, in that order',
  async ({ directory }) => {
    const { port, log } = faulty(() => undefined);
    await writeFileAtomic(join(directory, 'model'), NEW, port);
    assert.equal(log, [
      'open r', 'open wx', 'write', 'write', 'write', 'sync file', 'close file', 'rename',
      'sync directory', 'close directory',
    ]);
  });

for (const code of ['ENOSPC', 'EIO', 'EACCES', 'EROFS', 'EFBIG', 'EMFILE']) {
  write(`keeps the old file whole if the k-th operation fails with ${code}, for every k`,
    async ({ directory }) => {
      const path = join(directory, 'model');
      for (let k = 1, clean = false; !clean; k++) {
        writeFileSync(path, OLD);
        const { port, log, openFiles } = faulty((n) => (n === k ? code : undefined));
        const error = await writeFileAtomic(path, NEW, port).catch((e: unknown) => e);
        clean = log.length < k;
        const renamed = log[k - 1] !== 'rename' && log.includes('rename');
        assert.equal(read(path), error && !renamed ? OLD : NEW, `after "${log[k - 1]}"`);
        assert.equal(readdirSync(directory), ['model']);
        assert.is(openFiles.size, 0);
        if (!error) continue;
        assert.ok(error instanceof CheckpointError && error.code === 'WRITE_FAILED');
        assert.is(error.actual, code);
        assert.ok(error.message.includes(renamed ? 'in place' : 'old file is untouched'));
        assert.ok(!clean);
      }
    });

  write(`keeps the old file whole if all operations from the k-th fail with ${code}`,
    async ({ directory }) => {
      const path = join(directory, 'model');
      writeFileSync(path, OLD);
      for (let k = 1; k <= 8; k++) {
        const { port, openFiles } = faulty((n) => (n >= k ? code : undefined));
        const error = await rejection(writeFileAtomic(path, NEW, port));
        assert.ok(error instanceof CheckpointError && error.actual === code);
        assert.equal(read(path), OLD);
        assert.is(openFiles.size, 0);
        await sweepTemporaries(directory, ['model']); // unlink failed too
        assert.equal(readdirSync(directory), ['model']);
      }
    });
}

write('goes on where directories cannot be forced to disk', async ({ directory }) => {
  const path = join(directory, 'model');
  for (const name of ['open r', 'sync directory', 'close directory'])
    for (const code of ['EINVAL', 'EPERM', 'EISDIR']) {
      writeFileSync(path, OLD);
      await writeFileAtomic(path, NEW, faulty((_, at) => (at === name ? code : undefined)).port);
      assert.equal(read(path), NEW);
    }
});

write('fails if a write takes no bytes, instead of trying for ever', async ({ directory }) => {
  const stuck: FilePort = {
    ...nodeFiles,
    open: async (path, flags) => ({ ...(await nodeFiles.open(path, flags)), write: async () => 0 }),
  };
  const error = await rejection(writeFileAtomic(join(directory, 'model'), NEW, stuck));
  assert.ok(error instanceof CheckpointError && error.actual === 'EIO');
  assert.equal(readdirSync(directory), []);
});

write('says what is wrong in one line', async ({ directory }) => {
  const full = faulty((_, name) => (name === 'write' ? 'ENOSPC' : undefined)).port;
  const error = (await rejection(writeFileAtomic(join(directory, 'm'), NEW, full))) as Error;
  assert.match(error.message, /^cannot write "[^"]+": disk full \(ENOSPC\); the old file is unt/);
  const missing = await rejection(writeFileAtomic(join(directory, 'no', 'm'), NEW));
  assert.match((missing as Error).message, /no such directory \(ENOENT\)/);
  mkdirSync(join(directory, 'sub'));
  const folder = await rejection(writeFileAtomic(join(directory, 'sub'), NEW));
  assert.match((folder as Error).message, /it is a directory \(EISDIR\)/);
  assert.equal(readdirSync(directory), ['sub']);
});

write('never writes into a temporary file that exists', async ({ directory }) => {
  const path = join(directory, 'model');
  const taken = `model.${process.pid}.tmp`;
  writeFileSync(join(directory, 'elsewhere'), OLD);
  symlinkSync(join(directory, 'elsewhere'), join(directory, taken));
  await writeFileAtomic(path, NEW);
  assert.equal(read(join(directory, 'elsewhere')), OLD);
  assert.equal(readdirSync(directory).sort(), ['elsewhere', 'model', taken]);
});

write('lets the last of several writes at once win, whole', async ({ directory }) => {
  const path = join(directory, 'model');
  const versions = [1, 2, 3, 4].map((v) => new Uint8Array(100_000).fill(v));
  await Promise.all(versions.map((bytes) => writeFileAtomic(path, bytes)));
  const bytes = read(path);
  assert.is(bytes.length, 100_000);
  assert.ok(bytes.every((b) => b === bytes[0]));
  assert.equal(readdirSync(directory), ['model']);
});

write.run();

const sweep = suiteWithDirectory('sweepTemporaries');

sweep('removes what killed runs left, and nothing else', async ({ directory }) => {
  const dead = spawnSync(process.execPath, ['--version']).pid; // has ended, so the id is free
  const ours = [
    `a.bin.${process.pid}.tmp`, `a.bin.${dead}-3.tmp`, `a.bin.${dead}.tmp`,
  ].sort();
  const others = [
    'a.bin', 'a.bin.tmp', 'a.bin.x.tmp', `a.bin.${dead}`, `a.bin.${dead}.tmp~`, 'a.bin.012.tmp',
    `b.bin.${dead}.tmp`, `xa.bin.${dead}.tmp`, `a.bin.${process.ppid}.tmp`,
  ].sort();
  for (const name of [...ours, ...others]) writeFileSync(join(directory, name), OLD);
  mkdirSync(join(directory, `a.bin.${dead}-9.tmp`));
  symlinkSync(join(directory, 'a.bin'), join(directory, `a.bin.${dead}-8.tmp`));
  assert.equal(await sweepTemporaries(directory, ['a.bin', 'c.bin']), ours);
  const left = [...others, `a.bin.${dead}-8.tmp`, `a.bin.${dead}-9.tmp`];
  assert.equal(readdirSync(directory).sort(), left.sort());
});

sweep('finds nothing in a directory that is not there', async ({ directory }) => {
  assert.equal(await sweepTemporaries(join(directory, 'no'), ['a']), []);
});

sweep.run();

const readSuite = suiteWithDirectory('readFileChecked');

async function refusal(path: string, code: string, options = {}): Promise<string> {
  const error = await rejection(readFileChecked(path, options));
  if (!(error instanceof ModelFileError)) throw error;
  assert.is(error.code, code);
  assert.is(error.file, path);
  return error.message;
}

readSuite('reads a whole file into its own buffer', async ({ directory }) => {
  const path = join(directory, 'a');
  for (const bytes of [NEW, new Uint8Array(0), new Uint8Array(300_000).fill(7)]) {
    writeFileSync(path, bytes);
    const got = await readFileChecked(path, { what: 'model' });
    assert.equal(got, bytes);
    assert.is(got.byteOffset, 0); // so that typed arrays can view it
  }
});

readSuite('says that there is no such file', async ({ directory }) => {
  const path = 'no-such-directory/file.bin';
  assert.is(await refusal(path, 'NOT_FOUND'), `cannot read "${path}": no such file`);
  writeFileSync(join(directory, 'a'), OLD);
  await refusal(join(directory, 'a', 'b'), 'NOT_FOUND');
});

readSuite('refuses what is no file, without waiting for it', async ({ directory }) => {
  const message = await refusal(directory, 'NOT_A_FILE', { what: 'model' });
  assert.match(message, /it is a directory, not a model file$/);
  if (process.platform === 'win32') return;
  const pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  await refusal(pipe, 'NOT_A_FILE');
  if (existsSync('/dev/null')) await refusal('/dev/null', 'NOT_A_FILE');
});

readSuite('says why a file cannot be read', async ({ directory }) => {
  const loop = join(directory, 'loop');
  symlinkSync(loop, loop);
  assert.match(await refusal(loop, 'NOT_READABLE'), /too many symbolic links \(ELOOP\)$/);
  assert.match(await refusal('x'.repeat(5000), 'NOT_READABLE'), /the name is too long/);
  const secret = join(directory, 'secret');
  writeFileSync(secret, OLD, { mode: 0 });
  if (process.getuid?.() === 0) return; // root may read anything
  assert.match(await refusal(secret, 'NOT_READABLE'), /permission denied \(EACCES\)$/);
});

readSuite('refuses a file above the limit before reading it', async ({ directory }) => {
  const path = join(directory, 'sparse');
  writeFileSync(path, OLD);
  assert.match(await refusal(path, 'LIMIT', { maxBytes: 49 }), /50 bytes, limit is 49/);
  assert.is((await readFileChecked(path, { maxBytes: 50 })).length, 50);
  truncateSync(path, 2 ** 33); // a hole: takes no room on disk
  assert.match(await refusal(path, 'LIMIT'), /8589934592 bytes, limit is 4294967296/);
});

readSuite.run();
