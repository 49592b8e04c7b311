/** A DNS message as it goes over TCP, its length before it (RFC 7766 §8). */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** Cuts a TCP stream into DNS messages. */
export class MessageReader {
  readonly #longest: number;
  #buffered: Buffer = Buffer.alloc(0);

  /** @param longest bytes of a message that are accepted */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** @returns the messages that are complete now; `undefined` when one is announced that is empty or too long */
  read(chunk: Buffer): readonly Buffer[] | undefined {
    this.#buffered = Buffer.concat([this.#buffered, chunk]);
    const messages: Buffer[] = [];
    for (;;) {
      if (this.#buffered.length < 2) return messages;
      const length = this.#buffered.readUInt16BE(0);
      if (length === 0 || length > this.#longest) return undefined;
      if (this.#buffered.length < 2 + length) return messages;
      messages.push(this.#buffered.subarray(2, 2 + length));
      this.#buffered = this.#buffered.subarray(2 + length);
    }
  }
}
