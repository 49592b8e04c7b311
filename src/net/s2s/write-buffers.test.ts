import { expect, test } from 'vitest';
import { WRITE_BUFFER_BYTES, WriteBuffers } from './write-buffers.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

test('pieces are joined in their order', () => {
  expect(new WriteBuffers().join([bytes(1, 2), bytes(), bytes(3)]).bytes).toEqual(bytes(1, 2, 3));
});

test('as much as one buffer holds is joined', () => {
  const whole = new Uint8Array(WRITE_BUFFER_BYTES).fill(7);
  expect(new WriteBuffers().join([whole.subarray(0, 1), whole.subarray(1)]).bytes).toEqual(whole);
});

test('memory is not used again before it is released, and is then', () => {
  const buffers = new WriteBuffers();
  const first = buffers.join([bytes(1)]);
  const second = buffers.join([bytes(2)]);
  expect(first.bytes).toEqual(bytes(1));
  expect(second.bytes.buffer).not.toBe(first.bytes.buffer);
  first.release();
  const third = buffers.join([bytes(3)]);
  expect(third.bytes.buffer).toBe(first.bytes.buffer);
  expect(second.bytes).toEqual(bytes(2));
});
