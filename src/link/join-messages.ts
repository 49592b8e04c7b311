import { isP256 } from '../net/tls/issue.ts';
import { type BoxIdentity, isBoxId, isBoxName } from './identity.ts';
import { isSecret } from './token.ts';

/** One line of JSON each way; both are bounded by `JOIN_BYTES`. */
export const JOIN_BYTES = { request: 2048, answer: 16_384 } as const;

/** What a Core says to join, once the pin of the invitation has proved the Edge. */
export interface JoinRequest {
  readonly secret: string;
  readonly core: BoxIdentity;
  /** SPKI, PEM, P-256. */
  readonly publicKey: string;
}

/** To everybody who is not admitted the Edge says the same. */
export type JoinAnswer = { readonly edge: BoxIdentity; readonly chain: string } | 'refused';

export function writeJoinRequest({ secret, core, publicKey }: JoinRequest): string {
  return `${JSON.stringify({ join: 1, secret, id: core.id, name: core.name, publicKey })}\n`;
}

/** Total: `undefined` for what is no request. */
export function readJoinRequest(line: string): JoinRequest | undefined {
  const said = read(line);
  const { join, secret, publicKey } = said;
  const core = identityIn(said);
  if (join !== 1 || core === undefined || typeof secret !== 'string' || !isSecret(secret)) return undefined;
  return typeof publicKey === 'string' && isP256(publicKey) ? { secret, core, publicKey } : undefined;
}

export function writeJoinAnswer(answer: JoinAnswer): string {
  if (answer === 'refused') return `${JSON.stringify({ refused: true })}\n`;
  const { edge, chain } = answer;
  return `${JSON.stringify({ id: edge.id, name: edge.name, chain })}\n`;
}

/** Total: `undefined` for what is no answer. */
export function readJoinAnswer(line: string): JoinAnswer | undefined {
  const said = read(line);
  if (said['refused'] === true) return 'refused';
  const edge = identityIn(said);
  const { chain } = said;
  return edge === undefined || typeof chain !== 'string' ? undefined : { edge, chain };
}

function identityIn({ id, name }: Readonly<Record<string, unknown>>): BoxIdentity | undefined {
  if (typeof id !== 'string' || !isBoxId(id)) return undefined;
  return typeof name === 'string' && isBoxName(name) ? { id, name } : undefined;
}

function read(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // Not JSON, so there is nothing in it.
    return {};
  }
}
