import { asComponent, asInitiating, asReceiving } from './script.ts';
import { type Direction, HOME, PARTNER, SECRET, type Setting, type Way } from './setting.ts';

/** TLS and EXTERNAL towards the partner, XEP-0114 towards the home. `component` is the address the system takes components on. */
export async function xmppWay(setting: Setting, direction: Direction, component: string): Promise<Way> {
  const own = setting.authority.issue([PARTNER]);
  if (direction === 'inward') {
    const sink = await asComponent(component, HOME, SECRET);
    const source = await asInitiating(setting.system, PARTNER, HOME, own);
    return { source, sink: Promise.resolve(sink), close: () => undefined };
  }
  const partner = await asReceiving(setting.partner, own);
  const source = await asComponent(component, HOME, SECRET);
  return { source, sink: partner.opened, close: () => partner.close() };
}
