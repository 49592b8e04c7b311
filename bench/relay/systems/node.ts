import { fileURLToPath } from 'node:url';
import { waitForPort } from '../../../test/lab/addresses.ts';
import { connected, listening, Script } from '../script.ts';
import { type Direction, HOME, launchOnCore, PARTNER, type Setting, type System, type Way } from '../setting.ts';

const PROGRAM = fileURLToPath(new URL('../node-relay.ts', import.meta.url));
const PORT = 5269;

/** A relay in Node that knows nothing of XMPP: the least that relaying costs. */
export function nodeRelay(how: 'pipe' | 'frame'): System {
  const title = how === 'pipe' ? 'Node, bytes piped' : 'Node, cut at the closing tag';
  return {
    title: `${title} (${process.version})`,
    async start(setting, direction) {
      const own = setting.authority.issue([direction === 'inward' ? HOME : PARTNER]);
      const { system, partner } = setting;
      const command = [PROGRAM, how, direction, `${system}:${PORT}`, `${partner}:${PORT}`, own.certificate, own.key];
      const started = launchOnCore(setting, { name: title, command: [process.execPath, ...command] });
      await waitForPort(system, PORT, 20_000, () => started.assertRunning());
      return started;
    },
    open,
  };
}

async function open(setting: Setting, direction: Direction): Promise<Way> {
  const own = setting.authority.issue([PARTNER]);
  const arrived = Promise.withResolvers<Script>();
  const server = await listening(setting.partner, PORT, (socket) => {
    const script = new Script(socket);
    if (direction === 'inward') arrived.resolve(script);
    else script.secure(own).then(() => arrived.resolve(script), arrived.reject);
  });
  const source = new Script(await connected(setting.system, PORT));
  if (direction === 'inward') await source.secure(own, HOME);
  return { source, sink: arrived.promise, close: () => server.close() };
}
