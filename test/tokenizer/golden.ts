/**
 * Ids of a small BPE vocabulary, computed once with the npm package @huggingface/tokenizers
 * 0.2.0 from the `tokenizer.json` that `trainBpe(TRAINING_TEXT, { vocabSize: 300 })` writes.
 */

export const TRAINING_TEXT = `A wheel turns, and the water turns the wheel. The miller's son says
it's the wheel that turns the water; they've argued since morning. "We'll see," says the
miller, and she stops the wheel: the water runs on. In 1882, 1883 and 1888 the river ran dry,
and neither turned. Der Müller hört das Rauschen; 水車が回る、水が流れる。水車は回る。🌊🌊🌊
`;

export const GOLDEN: readonly (readonly [string, readonly number[]])[] = [
  ['', []],
  ['The water turns the wheel.', [51, 256, 289, 287, 258, 272, 13]],
  ["they've it's we'll I'M 'second", [
    83, 256, 88, 6, 85, 68, 220, 294, 290, 261, 68, 6, 267, 220, 40, 6, 44, 220, 6, 82, 68, 66,
    297, 67,
  ]],
  ['1882 18 8 188888 ½ ٣', [
    274, 17, 220, 16, 23, 220, 23, 282, 264, 23, 220, 126, 121, 220, 149, 96,
  ]],
  ['  two  spaces\tand\n\n\nnew lines \r\n', [
    220, 257, 86, 78, 220, 260, 79, 64, 66, 68, 82, 197, 273, 198, 198, 198, 77, 68, 86, 220,
    75, 293, 68, 82, 220, 201, 198,
  ]],
  ['水車が流れる 漢字', [
    278, 164, 298, 277, 234, 162, 113, 223, 269, 234, 286, 220, 162, 120, 95, 161, 255, 245,
  ]],
  ['🌊😀 👩‍👩‍👧', [
    288, 279, 246, 222, 220, 279, 239, 102, 158, 222, 235, 279, 239, 102, 158, 222, 235, 279,
    239, 100,
  ]],
  ['Müller hört naïve e\u0301', [
    44, 127, 120, 285, 220, 71, 127, 114, 81, 83, 220, 77, 64, 127, 107, 85, 68, 220, 68, 136,
    223,
  ]],
  ['\u00a0\u3000\u2028x', [126, 254, 276, 222, 158, 222, 101, 87]],
  ['\0\u0001\u007f<|endoftext|></s>', [
    188, 189, 221, 27, 91, 68, 77, 67, 78, 69, 83, 68, 87, 83, 91, 29, 27, 14, 82, 29,
  ]],
  ['__proto__ constructor', [
    62, 62, 79, 81, 78, 83, 78, 62, 62, 220, 66, 297, 82, 83, 81, 84, 66, 83, 78, 81,
  ]],
  ['thethethe wheelwheel eeeeeee', [
    83, 256, 83, 256, 83, 256, 272, 86, 270, 220, 68, 68, 68, 68, 68, 68, 68,
  ]],
];
