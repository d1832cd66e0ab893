/** The private file system of an origin, in memory: as much of it as `store-web.ts` uses. */

class Missing extends Error {
  override name = 'NotFoundError';
}

/** A file: what was written is seen after `close`. */
class FileHandle {
  readonly kind = 'file';
  readonly #space: Space;
  content = new Blob([]);

  constructor(space: Space) {
    this.#space = space;
  }

  async getFile(): Promise<File> {
    return new File([this.content], '', { lastModified: 1 });
  }

  async createWritable(): Promise<object> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    return {
      write: async (bytes: Uint8Array<ArrayBuffer>) => {
        this.#space.left -= bytes.length;
        if (this.#space.left < 0) throw Object.assign(new Error(), { name: 'QuotaExceededError' });
        parts.push(bytes);
      },
      close: async () => void (this.content = new Blob(parts)),
      abort: async () => undefined,
    };
  }
}

class DirectoryHandle {
  readonly kind = 'directory';
  readonly #space: Space;
  readonly children = new Map<string, FileHandle | DirectoryHandle>();

  constructor(space: Space) {
    this.#space = space;
  }

  async getFileHandle(name: string, { create = false } = {}): Promise<FileHandle> {
    return this.#child(name, FileHandle, create);
  }

  async getDirectoryHandle(name: string, { create = false } = {}): Promise<DirectoryHandle> {
    return this.#child(name, DirectoryHandle, create);
  }

  #child<T extends FileHandle | DirectoryHandle>(
    name: string, type: new (space: Space) => T, create: boolean,
  ): T {
    const found = this.children.get(name);
    if (found instanceof type) return found;
    if (!create) throw new Missing();
    const made = new type(this.#space);
    this.children.set(name, made);
    return made;
  }

  async removeEntry(name: string): Promise<void> {
    if (!this.children.delete(name)) throw new Missing();
  }

  async* entries(): AsyncGenerator<[string, FileHandle | DirectoryHandle]> {
    yield* this.children;
  }
}

/** Bytes that may still be written. */
interface Space {
  left: number;
}

/** Runs `work` where `navigator.storage` is that of an origin with so much space. */
export async function withOrigin(left: number, work: (space: Space) => Promise<void>): Promise<void> {
  const space = { left }, root = new DirectoryHandle(space);
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', {
    configurable: true, value: { storage: { getDirectory: async () => root } } });
  try {
    await work(space);
  } finally {
    if (before) Object.defineProperty(globalThis, 'navigator', before);
    else delete (globalThis as { navigator?: unknown }).navigator;
  }
}
