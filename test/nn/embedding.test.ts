// Embedding: tokens plus positions, and the gradients of both tables.
import { suite } from 'uvu';
import { Embedding } from '../../src/nn/embedding.ts';
import * as ref from '../../src/ref/embedding.ts';
import { embeddedModule } from '../../src/wasm/embedded.ts';
import { Engine } from '../../src/wasm/engine.ts';
import { sameBits } from '../helpers/close.ts';
import { randomF32 } from '../helpers/random.ts';
import { gradientOf, makePass, matrix, randomParameter, read, valueOf } from './layers.ts';

const engine = new Engine({ module: embeddedModule() });
const C = 6, IDS = [3, 0, 3, 4, 4, 1], POSITIONS = [0, 1, 2, 0, 1, 2];

const test = suite('Embedding');

for (const learned of [true, false])
  test(`adds ${learned ? 'token and position' : 'token'} rows, and their gradients`, () => {
    const tokens = randomParameter(engine, 5, C, 1);
    const positions = learned ? randomParameter(engine, 3, C, 2) : undefined;
    const layer = new Embedding(tokens, positions), pass = makePass(engine, 6, { batch: 2 });
    const ids = pass.workspace.alloc(24);
    engine.i32(ids, 6).set(IDS);

    const rows = ref.gather(valueOf(engine, tokens), IDS, C);
    const x = read(pass, layer.forward(ids, 6, pass));
    sameBits(x, positions
      ? ref.gatherAdd(rows, valueOf(engine, positions), POSITIONS, C) : rows, 'x');

    const dx = randomF32(36, 3);
    layer.backward(matrix(pass, 6, C, dx), pass);
    const zeros = (n: number): Float32Array => new Float32Array(n * C);
    sameBits(gradientOf(engine, tokens), ref.scatterAdd(dx, IDS, zeros(5), C), 'dtokens');
    if (positions)
      sameBits(
        gradientOf(engine, positions), ref.scatterAdd(dx, POSITIONS, zeros(3), C), 'dpositions');
  });

test.run();
