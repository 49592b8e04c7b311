import { faultInWords } from '../../net/s2s/in-words.ts';
import type { Jid } from '../../protocol/jid/jid.ts';
import { attributeOf } from '../../protocol/xml/write.ts';
import { elementsIn } from '../elements.ts';
import type { Packet } from '../packet.ts';
import type { ClientSession } from '../sessions.ts';
import type { IqAnswer, IqRequest, IqService } from './ports.ts';
import { errorTo, type Refusal, resultTo, typeOf, UNAVAILABLE } from './stanzas.ts';
import type { MessagingState } from './state.ts';

/** What is wrong with an IQ as such (RFC 6120 §8.2.3); `undefined`: nothing. */
export function faultOf({ element: iq }: Packet): Refusal | undefined {
  const type = typeOf(iq);
  if (type === 'result' || type === 'error') return undefined;
  if (type !== 'get' && type !== 'set') return { error: 'bad-request', text: 'There is no such type of IQ.' };
  if (attributeOf(iq, 'id') === undefined) return { error: 'bad-request', text: 'An IQ has an id.' };
  return elementsIn(iq).length === 1 ? undefined : { error: 'bad-request', text: 'A request has exactly one child.' };
}

/** Brings IQ requests to the services that answer them. */
export class IqDispatch {
  private readonly state: MessagingState;
  private readonly services = new Map<string, IqService>();

  constructor(state: MessagingState, services: readonly IqService[]) {
    this.state = state;
    for (const service of services) {
      for (const place of service.at) {
        const key = `${place} ${service.namespace}`;
        if (this.services.has(key)) throw new TypeError(`two services answer ${service.namespace}`);
        this.services.set(key, service);
      }
    }
  }

  /**
   * Answers a sound request to the server or to an account, or takes a result of what the server has asked.
   *
   * @param session of who asks, when it is one of ours
   * @param reply gets the answer, now or later
   */
  serve(packet: Packet, session: ClientSession | undefined, reply: (answer: Packet) => void): void {
    const { from, to, element: iq } = packet;
    const type = typeOf(iq);
    const [payload] = elementsIn(iq);
    if ((type !== 'get' && type !== 'set') || payload === undefined) {
      this.state.context.requests.settle(packet);
      return;
    }
    const account = to.local;
    const isOwner = account !== undefined && this.state.isOwn(account, from);
    const finish = (answer: IqAnswer): void => {
      const answered = this.answerTo(packet, account, answer);
      if (answered !== undefined) reply(answered);
    };
    const service =
      account === undefined || this.state.exists(account)
        ? this.services.get(`${account === undefined ? 'server' : 'account'} ${payload.namespace}`)
        : undefined;
    if (service === undefined) {
      finish(UNAVAILABLE);
      return;
    }
    this.ask(service, { type, from, account, isOwner, session, payload }, finish);
  }

  private ask(service: IqService, request: IqRequest, finish: (answer: IqAnswer) => void): void {
    const failed = (error: unknown): void => {
      const detail = faultInWords(error);
      this.state.context.notes({ note: 'bug', where: `the service for ${service.namespace}`, detail }, {});
      finish({ error: 'internal-server-error' });
    };
    let answer: IqAnswer | Promise<IqAnswer>;
    try {
      answer = service.answer(request);
    } catch (error) {
      failed(error);
      return;
    }
    if (answer instanceof Promise) answer.then(finish, failed);
    else finish(answer);
  }

  private answerTo(packet: Packet, account: string | undefined, answer: IqAnswer): Packet | undefined {
    if ('result' in answer) return resultTo(packet, answer.result);
    return errorTo(packet, this.isStranger(account, packet.from) ? UNAVAILABLE : answer);
  }

  /** To a stranger every refusal of an account reads like that of one which does not exist. */
  private isStranger(account: string | undefined, from: Jid): boolean {
    return account !== undefined && !this.state.mayWatch(account, from);
  }
}
