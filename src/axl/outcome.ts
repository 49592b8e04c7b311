import type { HttpAnswer } from './exchange.ts';
import type { AxlFailure } from './failures.ts';
import { failureOfFault } from './failures.ts';
import { readAnswer } from './soap/read.ts';
import type { AxlAnswer, AxlFunction, AxlRow } from './soap/types.ts';

export type QueryOutcome = { readonly rows: readonly AxlRow[] } | { readonly failure: AxlFailure };
export type UpdateOutcome = { readonly rowsUpdated: number } | { readonly failure: AxlFailure };

/** The longest time that a server can have us wait: one hour. */
const LONGEST_WAIT = 3_600_000;

/** What an answer over HTTP comes to. `now` in Unix milliseconds. */
export function outcomeOf(
  answer: HttpAnswer,
  fn: AxlFunction,
  version: string,
  now: number,
): QueryOutcome | UpdateOutcome {
  const byStatus = failureByStatus(answer, version, now);
  if (byStatus !== undefined) return { failure: byStatus };
  const isXml = /^(?:text|application)\/(?:soap\+)?xml(?:;|$)/i.test(answer.contentType.trim());
  const read = isXml ? readAnswer(answer.body) : undefined;
  if (read !== undefined && 'soapFault' in read) return { failure: failureOfFault(read.soapFault) };
  // SOAP 1.1 §6.2: what is not 2xx has a fault in it, else it says nothing that AXL means.
  if (answer.status !== 200) return { failure: withoutFault(answer.status) };
  if (read === undefined) return { failure: { code: 'not-axl', detail: 'The answer is not XML by its content type.' } };
  if ('fault' in read) return { failure: { code: 'not-axl', detail: read.fault } };
  return expected(read, fn) ?? { failure: { code: 'not-axl', detail: 'The answer is for another function.' } };
}

function expected(
  read: Exclude<AxlAnswer, { soapFault: unknown }>,
  fn: AxlFunction,
): QueryOutcome | UpdateOutcome | undefined {
  return 'rows' in read === (fn === 'executeSQLQuery') ? read : undefined;
}

function withoutFault(status: number): AxlFailure {
  return status >= 300 && status < 400
    ? { code: 'not-axl', detail: 'It sends us to another address, where the password does not go.' }
    : { code: 'http-status', status };
}

function failureByStatus({ status, retryAfter }: HttpAnswer, version: string, now: number): AxlFailure | undefined {
  switch (status) {
    case 401:
      return { code: 'credentials' };
    case 403:
      return { code: 'role' };
    case 404:
      return { code: 'not-activated' };
    case 503:
      return { code: 'throttled', retryAfter: waitOf(retryAfter, now) };
    case 429:
      return { code: 'locked-out', retryAfter: waitOf(retryAfter, now) };
    case 599:
      return { code: 'version', tried: [version] };
    default:
      return undefined;
  }
}

/** RFC 9110 §10.2.3: seconds, or a date. */
function waitOf(retryAfter: string | undefined, now: number): number | undefined {
  if (retryAfter === undefined) return undefined;
  const wait = /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now;
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), LONGEST_WAIT);
}
