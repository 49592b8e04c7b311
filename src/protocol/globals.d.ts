/**
 * The only names of the outside world that the protocol layer may use. Both are pure functions of their input
 * (WHATWG Encoding); everything else (clock, timers, randomness, sockets, DNS) is handed in as an argument.
 */
declare class TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number };
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(input?: Uint8Array): string;
}
