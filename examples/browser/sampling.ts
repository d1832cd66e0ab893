/** Sampling that the page does not ask about: tokens this much less likely than the best are left out. */
export const MIN_P = 0.05;
