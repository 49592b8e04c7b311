import { element } from '../../protocol/xml/write.ts';
import { writeDateTime } from '../delay.ts';
import { IM } from './namespaces.ts';
import type { IqAnswer, IqRequest, IqService } from './ports.ts';
import type { MessagingState } from './state.ts';

/** What the server answers about itself: that it is there, what it is, what time it is. */
export function createServerServices(state: MessagingState): readonly IqService[] {
  const { context } = state;
  const started = context.now();
  const ping: IqService = {
    namespace: IM.ping,
    at: ['account', 'server'],
    features: [IM.ping],
    // XEP-0199 §4.
    answer: ({ type, payload, account, from }) => {
      if (type !== 'get' || payload.name !== 'ping') return { error: 'bad-request' };
      // An account answers who may know of it.
      if (account !== undefined && !state.mayWatch(account, from)) return { error: 'service-unavailable' };
      return { result: undefined };
    },
  };
  const version: IqService = {
    namespace: IM.version,
    at: ['server'],
    features: [IM.version],
    // XEP-0092 §3.
    answer: ({ type, payload }) =>
      queryOf(type, payload.name, () =>
        element(
          'query',
          IM.version,
          {},
          element('name', IM.version, {}, context.software.name),
          element('version', IM.version, {}, context.software.version),
        ),
      ),
  };
  const time: IqService = {
    namespace: IM.time,
    at: ['server'],
    features: [IM.time],
    // XEP-0202 §3. The server has no place on earth: its time is UTC.
    answer: ({ type, payload }) => {
      if (type !== 'get' || payload.name !== 'time') return { error: 'bad-request' };
      const utc = writeDateTime(context.now());
      return {
        result: element('time', IM.time, {}, element('tzo', IM.time, {}, '+00:00'), element('utc', IM.time, {}, utc)),
      };
    },
  };
  const last: IqService = {
    namespace: IM.last,
    at: ['account', 'server'],
    features: [IM.last],
    answer: (request) => lastActivity(state, started, request),
  };
  return [ping, version, time, last];
}

/** XEP-0012 §3 for accounts, §4 for the server. `started`: Unix milliseconds. */
function lastActivity(state: MessagingState, started: number, { type, payload, account, from }: IqRequest): IqAnswer {
  const seconds = (since: number) => String(Math.max(0, Math.floor((state.context.now() - since) / 1000)));
  if (account === undefined)
    return queryOf(type, payload.name, () => element('query', IM.last, { seconds: seconds(started) }));
  if (!state.mayWatch(account, from)) return { error: 'forbidden' };
  const seen = state.seen.of(account);
  if (state.resources.available(account).length > 0)
    return queryOf(type, payload.name, () => element('query', IM.last, { seconds: '0' }));
  if (seen === undefined) return { error: 'item-not-found' };
  return queryOf(type, payload.name, () =>
    element('query', IM.last, { seconds: seconds(seen.time) }, ...(seen.status === undefined ? [] : [seen.status])),
  );
}

function queryOf(type: 'get' | 'set', name: string, query: () => ReturnType<typeof element>): IqAnswer {
  return type === 'get' && name === 'query' ? { result: query() } : { error: 'bad-request' };
}
