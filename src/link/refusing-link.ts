import { AcceptingLink, type AcceptingLinkContext } from '../protocol/link/accepting-link.ts';
import { PAIRING_ENDED } from '../protocol/link/link-stream.ts';
import type { StreamErrorCondition } from '../protocol/stream/stream-error.ts';

/** Why a box that our authority once signed for is not let in, as the other end is told. */
export interface LinkRefusal {
  readonly condition: StreamErrorCondition;
  readonly text: string;
}

/** Its key counts no more. */
export const REVOKED: LinkRefusal = { condition: 'not-authorized', text: PAIRING_ENDED };

/** Its certificate does not hold now; `lapse` names both times. */
export function lapsedRefusal(lapse: string): LinkRefusal {
  return { condition: 'policy-violation', text: `No connection: ${lapse}.` };
}

/** Answers the stream header of a box that may not connect with the reason, and nothing else. */
export class RefusingLink extends AcceptingLink {
  private readonly refusal: LinkRefusal;

  constructor(context: AcceptingLinkContext, refusal: LinkRefusal) {
    super(context);
    this.refusal = refusal;
  }

  protected override onRoot(): void {
    this.fail(this.refusal.condition, this.refusal.text);
  }
}
