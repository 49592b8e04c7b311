import type { StreamEnd } from '../end.ts';

/** An IM&P node as a process: its accounts, its router, its notifications. */
export type ImpNodeNote =
  /** `author` is what the command says of itself, here and below. */
  | {
      readonly note: 'imp-user-changed';
      readonly user: string;
      readonly what: 'added' | 'password changed' | 'activated' | 'deactivated' | 'removed';
      readonly author: string;
    }
  | {
      readonly note: 'imp-administrator-changed';
      readonly name: string;
      readonly what: 'added' | 'password changed' | 'role changed' | 'removed';
      /** Of the account as it is now; `undefined`: it is gone. */
      readonly role: string | undefined;
      readonly author: string;
    }
  | {
      readonly note: 'imp-federation-changed';
      readonly from: 'on' | 'off';
      readonly to: 'on' | 'off';
      readonly author: string;
    }
  /** What asks for an administrator, and stays on the notifications page until it is cured. */
  | {
      readonly note: 'imp-notification-raised';
      readonly id: string;
      readonly text: string;
      readonly cure: string;
    }
  | { readonly note: 'imp-notification-cleared'; readonly id: string }
  /** The table `xmpps2snodes` says something else than before, whoever wrote it. */
  | {
      readonly note: 'imp-edges-changed';
      readonly added: readonly string[];
      readonly removed: readonly string[];
    }
  /** The router has read its table. `author`: who restarted it; `undefined`: the start of the node, or a change that counts at once. */
  | {
      readonly note: 'xcp-router-read';
      readonly cpIds: readonly string[];
      readonly author: string | undefined;
    }
  /** A row that no component can connect as. */
  | { readonly note: 'xcp-row-unusable'; readonly cpId: string }
  /** `inTable`: foreign stanzas leave through it; without, it is only heard. */
  | { readonly note: 'xcp-component-connected'; readonly cpId: string; readonly inTable: boolean }
  | { readonly note: 'xcp-component-lost'; readonly cpId: string; readonly because: StreamEnd }
  /** A stanza for a foreign domain went back to its sender. */
  | {
      readonly note: 'foreign-bounced';
      readonly kind: string;
      readonly sender: string;
      readonly target: string;
      readonly because: string;
    }
  /** A stanza that a component brought is not let in. */
  | {
      readonly note: 'foreign-refused';
      readonly cpId: string;
      readonly kind: string;
      readonly because: string;
    }
  /** More is on its way inside the node than it holds; what is sent now goes back, or is dropped. */
  | { readonly note: 'router-full'; readonly waiting: number };
