import { X509Certificate } from 'node:crypto';
import { newKeyPair } from '../net/tls/issue.ts';
import { isDue, lapse, periodOf, proofOf, readChain } from './certificates.ts';
import { type Edges, isKeyOf } from './edges.ts';
import type { BoxIdentity } from './identity.ts';
import { trustIn } from './join.ts';

/** How long an Edge has to answer before it is asked again. */
const ANSWER_MS = 60_000;

/** What the renewal of a certificate came to. */
export type Renewal = { readonly until: number } | { readonly refused: string };

/** The certificate that a Core shows to one Edge: it is replaced over the Link after two thirds of its life, and used from the next connection on. */
export class OwnCertificate {
  private readonly self: BoxIdentity;
  private readonly edgeId: string;
  private readonly edges: Edges;
  /** The key that the Edge has been asked to sign for. */
  private asked: { readonly key: string; readonly at: number } | undefined;
  private isAsking = false;

  constructor(self: BoxIdentity, edgeId: string, edges: Edges) {
    this.self = self;
    this.edgeId = edgeId;
    this.edges = edges;
  }

  /** What the connection was made with is no longer there to answer. */
  forgetQuestion(): void {
    this.asked = undefined;
  }

  /**
   * Asks for a new certificate, if it is due and has not just been asked for.
   *
   * @param ask takes the new public key, SPKI in PEM
   */
  async renewIfDue(now: number, ask: (publicKey: string) => void): Promise<void> {
    const edge = this.edges.byId(this.edgeId);
    if (edge === undefined || this.isAsking || !isDue(periodOf(edge.chain), now)) return;
    if (this.asked !== undefined && performance.now() - this.asked.at < ANSWER_MS) return;
    this.isAsking = true;
    try {
      const { privateKey, publicKey } = await newKeyPair();
      this.asked = { key: privateKey, at: performance.now() };
      ask(publicKey);
    } finally {
      this.isAsking = false;
    }
  }

  /** Takes the answer. `undefined`: nobody had asked. */
  take(chain: string, now: number): Renewal | undefined {
    const { asked } = this;
    const edge = this.edges.byId(this.edgeId);
    if (asked === undefined || edge === undefined) return undefined;
    this.asked = undefined;
    const certificates = readChain(chain);
    if (certificates === undefined || !isKeyOf(asked.key, chain))
      return { refused: 'the Edge sent no certificate for the new key' };
    const proof = proofOf(certificates, 'core', trustIn(new X509Certificate(edge.authority)), now);
    if ('stranger' in proof) return { refused: `the new certificate does not hold: ${proof.stranger}` };
    const period = periodOf(chain);
    if ('lapsed' in proof) return { refused: `the new certificate does not hold: ${lapse(period, now)}` };
    if (proof.id !== this.self.id) return { refused: 'the new certificate is for another box' };
    try {
      this.edges.set({ ...edge, key: asked.key, chain });
    } catch (error) {
      return { refused: `it could not be written: ${error instanceof Error ? error.message : String(error)}` };
    }
    return { until: period.notAfter };
  }
}
