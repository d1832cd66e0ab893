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
      5.549575656652451, 5.464052885770798, 5.1151368245482445, 4.9665354043245316,
      4.81661094352603, 4.619569029659033, 4.5024576634168625, 4.437950659543276,
      4.354838306084275, 4.275810403749347,
    ],
    gradients: 'daab6a58', logits: 'a4ec64f9', text: '2983fd97',
    file: '8d37e688',
  },
  'bitnet-b1.58': {
    losses: [
      5.542456820607185, 5.403878625482321, 5.101443093270063, 4.920383680611849,
      4.752591662108898, 4.5421243868768215, 4.469069244340062, 4.443765314295888,
      4.364771984517574, 4.294715480878949,
    ],
    gradients: '003f048c', logits: 'a44def77', text: '7f4a2335',
    file: 'b086fcec',
  },
  'transformer': {
    losses: [
      5.5473078936338425, 5.315211560577154, 5.0539886355400085, 4.950090397149324,
      4.839572496712208, 4.659687355160713, 4.5757114589214325, 4.527699571102858,
      4.440171318128705, 4.369832184165716,
    ],
    gradients: '16a14329', logits: 'e39559b9', text: 'a5f6f45f',
    file: 'd50b41fe',
  },
};
