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
      5.560572121292353, 5.4190650172531605, 5.099891424179077, 4.908173426985741,
      4.753371272236109, 4.549723334610462, 4.429353337734938, 4.373890910297632,
      4.28158263862133, 4.184047125279903,
    ],
    gradients: '867cd4fb', logits: 'd41247a9', text: '3cd3af51',
    file: 'e093758d',
  },
  'bitnet-b1.58': {
    losses: [
      5.542456820607185, 5.403878625482321, 5.101443093270063, 4.920383673161268,
      4.752591658383608, 4.5421243868768215, 4.4690692368894815, 4.443765314295888,
      4.3647719863802195, 4.29471549205482,
    ],
    gradients: '2b3d2753', logits: '33fc2fb3', text: '7f4a2335',
    file: '46ea7641',
  },
  'transformer': {
    losses: [
      5.558940473943949, 5.37651252001524, 5.192332163453102, 5.066447392106056,
      4.960553266108036, 4.774222511798143, 4.700198844075203, 4.660480041056871,
      4.586932692676783, 4.4855776615440845,
    ],
    gradients: '94f1a449', logits: '5dcacc77', text: '8c37e49f',
    file: '9e8e9948',
  },
};
