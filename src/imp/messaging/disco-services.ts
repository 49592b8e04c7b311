import { printJid } from '../../protocol/jid/print.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, element } from '../../protocol/xml/write.ts';
import { OFFLINE_FEATURE } from '../offline/offline-store.ts';
import { IM } from './namespaces.ts';
import type { IqAnswer, IqRequest, IqService } from './ports.ts';
import type { MessagingState } from './state.ts';

/**
 * Features of the server that no namespace of a request stands for: offline messages (XEP-0160 §4); and what its accounts do, which clients ask the server
 * for (XEP-0280 §3, XEP-0191 §3.1).
 */
const SERVER_FEATURES = [OFFLINE_FEATURE, IM.carbons, IM.blocking];

interface Identity {
  readonly category: string;
  readonly type: string;
  readonly name?: string;
}

/** Service discovery of the server and of its accounts (XEP-0030), by what `services` say of themselves. */
export function createDiscoServices(state: MessagingState, services: readonly IqService[]): readonly IqService[] {
  const info: IqService = {
    namespace: IM.discoInfo,
    at: ['account', 'server'],
    features: [IM.discoInfo],
    answer: (request) => (isGet(request) ? answerInfo(request) : { error: 'bad-request' }),
  };
  const items: IqService = {
    namespace: IM.discoItems,
    at: ['account', 'server'],
    features: [IM.discoItems],
    answer: (request) => (isGet(request) ? answerItems(request) : { error: 'bad-request' }),
  };
  const all = [info, items, ...services];
  return [info, items];

  function answerInfo({ account, from, payload }: IqRequest): IqAnswer {
    const node = nodeIn(payload);
    if (node !== undefined) {
      const described = account === undefined ? undefined : state.context.nodes.describe(account, node, from);
      return described === undefined ? { error: 'item-not-found' } : { result: described };
    }
    // XEP-0030 §8: an account tells of itself to those who have its presence.
    if (account !== undefined && !state.mayWatch(account, from)) return { error: 'service-unavailable' };
    const place = account === undefined ? 'server' : 'account';
    const here = all.filter(({ at }) => at.includes(place));
    const identities: readonly Identity[] =
      place === 'server'
        ? [{ category: 'server', type: 'im', name: state.context.software.name }]
        : [{ category: 'account', type: 'registered' }, ...here.flatMap(({ identities: own }) => own ?? [])];
    const features = new Set(here.flatMap(({ features: own }) => own));
    if (place === 'server') for (const feature of SERVER_FEATURES) features.add(feature);
    const result = element(
      'query',
      IM.discoInfo,
      {},
      ...identities.map((identity) => element('identity', IM.discoInfo, { ...identity })),
      ...[...features].sort().map((feature) => element('feature', IM.discoInfo, { var: feature })),
    );
    return { result };
  }

  function answerItems({ account, from, payload }: IqRequest): IqAnswer {
    // What is inside a node is asked of the service that has it.
    if (nodeIn(payload) !== undefined) return { error: 'item-not-found' };
    if (account === undefined) {
      const rooms = state.context.roomsDomain;
      const list = rooms === undefined ? [] : [element('item', IM.discoItems, { jid: rooms, name: 'Chat rooms' })];
      return { result: element('query', IM.discoItems, {}, ...list) };
    }
    const nodes = state.context.nodes.nodesOf(account, from);
    // A stranger who may see nothing learns nothing, not even that there is an account.
    if (nodes.length === 0 && !state.mayWatch(account, from)) return { error: 'service-unavailable' };
    const jid = printJid(state.addressOf(account));
    const list = nodes.map(({ node, name }) => element('item', IM.discoItems, { jid, node, name }));
    return { result: element('query', IM.discoItems, {}, ...list) };
  }
}

function isGet({ type, payload }: IqRequest): boolean {
  return type === 'get' && payload.name === 'query';
}

/** `undefined`: it is about the address itself. */
function nodeIn(payload: XmlElement): string | undefined {
  const node = attributeOf(payload, 'node') ?? '';
  return node === '' ? undefined : node;
}
