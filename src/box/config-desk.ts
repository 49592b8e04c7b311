import type { Clusterdb } from '../clusterdb/store.ts';
import type { Catalog, ChangeRequest, KeyOwner } from '../clusterdb/types.ts';
import { liveCatalog } from '../config/live/catalog.ts';
import type { Json } from '../protocol/link/messages.ts';
import type { LinkedBox } from './linked-boxes.ts';
import type { BoxChangeOutcome, ConfigEntry, ConfigOperations } from './operations.ts';

const SECRET = '(secret)';

/** What the desk is given. */
export interface ConfigDeskContext {
  readonly db: Clusterdb;
  /** The name of this box. */
  readonly name: string;
  readonly owns: KeyOwner | 'both';
  /** The boxes that own the other keys; a single box has none. */
  readonly linked?: {
    all(): readonly LinkedBox[];
    /** Those of them where a key is changed. */
    ownersOf(key: string): readonly LinkedBox[];
  };
  readonly catalog?: Catalog;
}

type Step = ChangeRequest['steps'][number];

/** The live configuration as an administrator reads and changes it, on whichever box: each key is changed where its owner is. */
export class ConfigDesk implements ConfigOperations {
  private readonly context: ConfigDeskContext;
  private readonly catalog: Catalog;

  constructor(context: ConfigDeskContext) {
    this.context = context;
    this.catalog = context.catalog ?? liveCatalog;
  }

  list(): Promise<readonly ConfigEntry[]> {
    const { db, name, linked } = this.context;
    const own = [...db.snapshot().entries.values()].map((entry) => this.shown(name, entry));
    const others = (linked?.all() ?? []).flatMap(({ peer, replication }) =>
      replication.entries().map((entry) => this.shown(peer.name, entry)),
    );
    return Promise.resolve([...own, ...others]);
  }

  async change(request: ChangeRequest, edge: string | undefined): Promise<readonly BoxChangeOutcome[]> {
    const { db, name } = this.context;
    const owners = new Set(request.steps.map((step) => this.ownerOf(keyOf(step))));
    if (owners.size > 1) {
      const problem =
        'These keys belong to different boxes, and a change is made on one: change those of the Core (homes.*) apart.';
      return [{ box: name, outcome: 'refused', problems: [problem] }];
    }
    const [owner] = owners;
    // An unknown key belongs to nobody: the own database says so, with the nearest key that there is.
    const isOwn = owner === undefined || this.context.owns === 'both' || owner === this.context.owns;
    if (isOwn) return [{ box: name, ...db.change(request) }];
    const boxes = this.boxesFor(request.steps, edge);
    if ('problem' in boxes) return [{ box: name, outcome: 'refused', problems: [boxes.problem] }];
    const outcomes: BoxChangeOutcome[] = [];
    // One after the other: after a refusal the rest stays as it is.
    for (const { peer, replication } of boxes.boxes) {
      const outcome = await replication.propose(request);
      outcomes.push({ box: peer.name, ...outcome });
      if (outcome.outcome !== 'changed' && outcome.outcome !== 'unchanged') break;
    }
    return outcomes;
  }

  log(limit: number): ReturnType<ConfigOperations['log']> {
    const { db, name, linked } = this.context;
    const names = new Map([[db.origin, name]]);
    for (const { peer, replication } of linked?.all() ?? []) {
      if (replication.origin !== undefined) names.set(replication.origin, peer.name);
    }
    const changes = db.log(limit).map((change) => ({ ...change, box: names.get(change.origin) ?? 'a former box' }));
    return Promise.resolve(changes);
  }

  private shown(
    box: string,
    { key, value, revision }: { key: string; value: Json | undefined; revision: number },
  ): ConfigEntry {
    const kind = this.catalog.kindOf(key);
    const hidden = value === undefined || 'refused' in kind || kind.secret;
    return { box, key, value: hidden ? SECRET : value, revision };
  }

  private ownerOf(key: string): KeyOwner | undefined {
    const kind = this.catalog.kindOf(key);
    return 'refused' in kind ? undefined : kind.owner;
  }

  /** The boxes that have to agree. All of them must be there before the first is asked. */
  private boxesFor(
    steps: readonly Step[],
    edge: string | undefined,
  ): { readonly boxes: readonly LinkedBox[] } | { readonly problem: string } {
    const { linked } = this.context;
    const concerned = (linked?.all() ?? []).filter((box) =>
      steps.every((step) => linked?.ownersOf(keyOf(step)).includes(box) ?? false),
    );
    const boxes = concerned.filter(({ peer }) => edge === undefined || peer.name === edge);
    const keys = steps.map(keyOf).join(', ');
    if (boxes.length === 0) {
      const problem =
        edge === undefined || concerned.length === 0
          ? `${keys}: no box that is paired with this one owns the key; see \`fedway link list\`.`
          : `There is no box named ${edge} that owns ${keys}; there are ${concerned.map(({ peer }) => peer.name).join(', ')}.`;
      return { problem };
    }
    const away = boxes.filter(({ peer }) => !peer.isUp).map(({ peer }) => peer.name);
    if (away.length === 0) return { boxes };
    const problem = `${keys}: owned by ${away.join(', ')}, which cannot be reached now. Nothing was changed; try again when the Link is up, or change it there.`;
    return { problem };
  }
}

function keyOf(step: Step): string {
  return 'put' in step ? step.put : step.remove;
}
