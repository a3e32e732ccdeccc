/** 1.5 * 2^52: what is added to it keeps no digits behind the point, for the processor rounds sums half to even. */
const WHOLE_NUMBERS = 6_755_399_441_055_744;

/** The nearest integer, and of two equally near ones the even one, as the kernels round; of values up to 2^51. */
export function roundHalfEven(value: number): number {
  return value + WHOLE_NUMBERS - WHOLE_NUMBERS;
}
