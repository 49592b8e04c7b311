import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface SocketPair extends AsyncDisposable {
  /** The side that connected, and the side that accepted; both real TCP sockets on 127.0.0.1, not read from yet. */
  readonly initiating: Socket;
  readonly receiving: Socket;
}

/** Two ends of one TCP connection; disposing of the pair destroys both and closes the listener. */
export async function socketPair(): Promise<SocketPair> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const initiating = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const receiving = await new Promise<Socket>((resolve) => server.once('connection', resolve));
  if (initiating.connecting) await once(initiating, 'connect');
  const closed = once(server, 'close');
  server.close();
  return {
    initiating,
    receiving,
    [Symbol.asyncDispose]: async () => {
      initiating.destroy();
      receiving.destroy();
      await closed;
    },
  };
}
