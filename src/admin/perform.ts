import type { BoxOperations } from '../box/operations.ts';
import { type AdminRequest, type Answers, type Hello, inviteOptions, WIRE } from './wire.ts';

/** What is known of a box before it is asked anything. */
export type BoxFacts = Pick<Hello, 'version' | 'name' | 'role'>;

/** What came of a request: the answer, or a sentence why this box has none. */
type Performed = { readonly ok: Answers[keyof Answers] } | { readonly error: string };

/** Does what a request says. Rejects when the operation does: that is a fault of the box. */
export async function perform(request: AdminRequest, operations: BoxOperations, facts: BoxFacts): Promise<Performed> {
  const { config, link, publishers } = operations;
  switch (request.do) {
    case 'hello':
      return {
        ok: {
          wire: WIRE,
          ...facts,
          config: config !== undefined,
          link: link !== undefined,
          publishers: publishers !== undefined,
        },
      };
    case 'status':
      return { ok: await operations.status(request.reach) };
    case 'streams':
      return { ok: await operations.streams() };
    case 'close-stream':
      return { ok: await operations.closeStream(request.connection, request.reason) };
    case 'config-list':
      return config === undefined ? NO_CONFIG : { ok: await config.list() };
    case 'config-change': {
      if (config === undefined) return NO_CONFIG;
      const { do: _, edge, ...change } = request;
      return { ok: await config.change(change, edge) };
    }
    case 'config-log':
      return config === undefined ? NO_CONFIG : { ok: await config.log(request.limit) };
    case 'link-list':
      return link === undefined ? NO_LINK : { ok: await link.list() };
    case 'link-invite':
      return link === undefined ? NO_LINK : { ok: await link.invite(inviteOptions(request)) };
    case 'link-join':
      return link === undefined ? NO_LINK : { ok: await link.join(request.token) };
    case 'link-revoke':
      return link === undefined ? NO_LINK : { ok: await link.revoke(request.name) };
    case 'publisher-list':
      return publishers === undefined ? NO_PUBLISHERS : { ok: await publishers.list() };
    case 'publisher-refresh':
      return publishers === undefined ? NO_PUBLISHERS : { ok: await publishers.refresh(request.name) };
  }
}

const NO_CONFIG = {
  error:
    'This box has no live configuration: its boot file says everything. Name a data folder with the key "data" in the boot file and restart, or change the boot file and reload.',
};
const NO_LINK = {
  error: 'This box is a single box and has no Links. Links are between boxes with role: edge and role: core.',
};
const NO_PUBLISHERS = {
  error:
    'This box tells no IM&P servers: an Edge does not, its Core does; a single box does when it has a data folder.',
};
