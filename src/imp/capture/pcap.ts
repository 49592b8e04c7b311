/** Link-layer type of Ethernet (https://www.tcpdump.org/linktypes.html). */
const ETHERNET = 1;
const MAGIC = 0xa1b2c3d4;
/** Bytes of the header of a file and of a record. */
const FILE_HEADER = 24;
const RECORD_HEADER = 16;

/** The largest packet that a capture keeps whole. */
export const WHOLE_PACKET = 262_144;

/** The header of a pcap file (draft-ietf-opsawg-pcap §4): microseconds, Ethernet. */
export function fileHeader(snap: number): Buffer {
  const header = Buffer.alloc(FILE_HEADER);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(snap, 16);
  header.writeUInt32LE(ETHERNET, 20);
  return header;
}

/**
 * One packet (draft-ietf-opsawg-pcap §5), cut to `snap` bytes.
 *
 * @param time Unix milliseconds
 */
export function record(time: number, packet: Uint8Array, snap: number): Buffer {
  const kept = Math.min(packet.length, snap);
  const whole = Buffer.alloc(RECORD_HEADER + kept);
  whole.writeUInt32LE(Math.floor(time / 1000), 0);
  whole.writeUInt32LE(Math.floor(time % 1000) * 1000, 4);
  whole.writeUInt32LE(kept, 8);
  whole.writeUInt32LE(packet.length, 12);
  whole.set(packet.subarray(0, kept), RECORD_HEADER);
  return whole;
}

/** The records of a pcap file that another program writes, as they come. */
export class RecordReader {
  #kept = Buffer.alloc(0);
  #little: boolean | undefined;

  /** Whether the header of the file is there: the program captures. */
  get started(): boolean {
    return this.#little !== undefined;
  }

  /** The header of the file first, then each record whole; `undefined`: this is no pcap file. */
  read(chunk: Uint8Array): readonly Buffer[] | undefined {
    this.#kept = Buffer.concat([this.#kept, chunk]);
    const parts: Buffer[] = [];
    if (this.#little === undefined) {
      if (this.#kept.length < FILE_HEADER) return parts;
      if (this.#kept.readUInt32LE(0) === MAGIC) this.#little = true;
      else if (this.#kept.readUInt32BE(0) === MAGIC) this.#little = false;
      else return undefined;
      parts.push(this.#take(FILE_HEADER));
    }
    while (this.#kept.length >= RECORD_HEADER) {
      const kept = this.#little ? this.#kept.readUInt32LE(8) : this.#kept.readUInt32BE(8);
      if (kept > WHOLE_PACKET) return undefined;
      if (this.#kept.length < RECORD_HEADER + kept) break;
      parts.push(this.#take(RECORD_HEADER + kept));
    }
    return parts;
  }

  #take(length: number): Buffer {
    const part = this.#kept.subarray(0, length);
    this.#kept = this.#kept.subarray(length);
    return part;
  }
}
