/** A sample that cannot be made as asked; the message says what to change. */
export class SampleError extends Error {
  override readonly name = 'SampleError';
}
