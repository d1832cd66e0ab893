/** What `golden.test.ts` compares with. Digests are CRC-32 of raw bytes. */
export interface Recorded {
  /** Loss of each of the ten steps, nats per token. */
  readonly losses: readonly number[];
  readonly gradients: string;
  readonly logits: string;
  readonly text: string;
  readonly file: string;
}

export const RECORDED: Readonly<Record<string, Recorded>> = {
  'bitnet': {
    losses: [
      5.537711389362812, 5.411449026316404, 5.2223403081297874, 5.055758897215128,
      4.947380676865578, 4.8143846690654755, 4.708997551351786, 4.67665559053421,
      4.570945255458355, 4.5142495930194855,
    ],
    gradients: 'a4823a36', logits: 'a877e0b0', text: '61730a86',
    file: '8480c2e7',
  },
  'bitnet-b1.58': {
    losses: [
      5.529943805187941, 5.316953670233488, 5.128849949687719, 4.985186465084553,
      4.878624517470598, 4.709920089691877, 4.659718357026577, 4.620147161185741,
      4.550430208444595, 4.524430587887764,
    ],
    gradients: 'ff9e4543', logits: '736224d9', text: '8d0aea92',
    file: '41924b9c',
  },
  'transformer': {
    losses: [
      5.5350507609546185, 5.2349865064024925, 5.058738794177771, 4.950209334492683,
      4.818569160997868, 4.6601054482162, 4.5487466268241405, 4.538321521133184,
      4.410006407648325, 4.357566678896546,
    ],
    gradients: '39ad364a', logits: '83825b84', text: 'af370918',
    file: '02c4bf51',
  },
};
