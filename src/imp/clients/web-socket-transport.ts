import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { Framer, unframe } from '../../protocol/c2s/framing.ts';

/** Close codes of RFC 6455 §7.4.1. */
const NORMAL = 1000;
const UNACCEPTABLE = 1003;
const POLICY = 1008;

/**
 * A WebSocket (RFC 7395) as the connection of a stream: what is read from it is the XML of a stream as on TCP, what is written to it leaves as messages. A client
 * that does not keep to the framing ends it, with the reason as error.
 */
export class WebSocketTransport extends Duplex {
  private readonly peer: WebSocket;
  private readonly framer = new Framer();
  /** The reason why it ends is on its way to the client. */
  private isRefusing = false;

  constructor(peer: WebSocket) {
    // As much as a message may have: one is always taken as a whole.
    super({ allowHalfOpen: false });
    this.peer = peer;
    peer.binaryType = 'nodebuffer';
    peer.on('message', (data, isBinary) => this.onMessage(data, isBinary));
    peer.on('close', () => this.onPeerClose());
    peer.on('error', (error) => this.destroy(error));
  }

  override _read(): void {
    if (this.peer.isPaused) this.peer.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    let messages: readonly string[];
    try {
      messages = this.framer.frame(chunk);
    } catch (error) {
      // A fault of ours ends this one connection.
      done(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    const last = messages.length - 1;
    if (last < 0 || this.peer.readyState !== this.peer.OPEN) {
      done();
      return;
    }
    for (const [index, message] of messages.entries())
      this.peer.send(message, index === last ? (error) => done(error ?? null) : undefined);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.peer.close(NORMAL);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.isRefusing) this.peer.terminate();
    done(error);
  }

  private onMessage(data: WebSocket.RawData, isBinary: boolean): void {
    if (this.destroyed || this.writableEnded) return;
    // RFC 7395 §3.2: text alone.
    if (isBinary || !Buffer.isBuffer(data)) {
      this.refuse(UNACCEPTABLE, 'a message is not text');
      return;
    }
    const unframed = unframe(data);
    if ('refused' in unframed) this.refuse(POLICY, unframed.refused);
    else if (!this.push(unframed.xml)) this.peer.pause();
  }

  private refuse(code: number, reason: string): void {
    this.isRefusing = true;
    this.peer.close(code);
    this.destroy(new Error(`the WebSocket breaks RFC 7395: ${reason}`));
  }

  private onPeerClose(): void {
    this.push(null);
    this.destroy();
  }
}
