import { once } from 'node:events';
import net from 'node:net';

/** Where programs of the lab run: this machine, or a host of a network that is built for a test. */
export interface Place {
  /** What a command is preceded by to be run there. */
  readonly prefix: readonly string[];
  /** A TCP connection made from there. Throws with the reason when there is none. */
  connect(port: number, address: string): Promise<net.Socket>;
}

/** This machine. */
export const HERE: Place = {
  prefix: [],
  async connect(port, address) {
    const socket = net.connect(port, address);
    try {
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  },
};
