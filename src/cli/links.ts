import { parseDuration } from '../config/measure.ts';
import { visible } from '../diagnostics/escape.ts';
import type { ChangeWorld } from './config-change.ts';
import { printJson, shownTime } from './output.ts';
import { fail, linkOf, type Place, type ReachWorld, refuse, withDesk } from './reach.ts';
import { printLinks } from './status.ts';
import { EXIT } from './terminal.ts';

export interface InviteOptions extends Place {
  readonly name: string;
  readonly domains: readonly string[];
  /** As typed: `1h`. */
  readonly valid: string;
  readonly address: string | undefined;
}

type LinksWorld = ChangeWorld & { readonly now: () => number };

/** `fedway link invite`: the token alone is the result, what to do with it a message. */
export function invite(options: InviteOptions, world: LinksWorld): Promise<number> {
  const { terminal, now } = world;
  const { name, domains, address, valid } = options;
  const duration = parseDuration(valid);
  if (!('value' in duration)) {
    return Promise.resolve(fail(`--valid: ${duration.reason}. ${duration.cure}`, options, terminal));
  }
  return withDesk(options, world, async (desk) => {
    const link = linkOf(desk, options, terminal);
    if (typeof link === 'number') return link;
    const invited = await link.invite({ name, domains, validForMs: duration.value, address });
    if ('refused' in invited) return refuse([invited.refused], options, terminal);
    const until = shownTime(now() + duration.value);
    if (options.json) printJson(terminal, { token: invited.token, name, domains, until });
    else {
      terminal.out(visible(invited.token));
      const serves = domains.length === 0 ? 'every home of this Edge' : domains.join(', ');
      terminal.err(
        `fedway: whoever has this token is ${name} and may serve ${serves}; it is good once, until ${until}.`,
      );
      terminal.err('fedway: on the Core: fedway link join - (and paste it), or fedway link join --file FILE');
    }
    return EXIT.ok;
  });
}

/** `fedway link join`. The token comes from the command line, from a file, or from standard input for `-`. */
export async function join(
  place: Place,
  token: string | undefined,
  file: string | undefined,
  world: LinksWorld,
): Promise<number> {
  const { terminal } = world;
  if ((token === undefined) === (file === undefined)) {
    return fail('say where the token is: fedway link join TOKEN, fedway link join -, or --file FILE', place, terminal);
  }
  const source = file ?? (token === '-' ? '-' : undefined);
  const text = source === undefined ? (token ?? '') : await world.read(source);
  if (typeof text !== 'string') return fail(`${source} cannot be read: ${text.why}.`, place, terminal);
  return withDesk(place, world, async (desk) => {
    const link = linkOf(desk, place, terminal);
    if (typeof link === 'number') return link;
    const joined = await link.join(text.trim());
    if ('refused' in joined) return refuse([joined.refused], place, terminal);
    if (place.json) printJson(terminal, joined);
    else {
      terminal.out(visible(`Joined ${joined.edge}.`));
      if (desk.folder !== undefined) terminal.err('fedway: the Link comes up when this box runs.');
    }
    return EXIT.ok;
  });
}

/** `fedway link list`. */
export function listLinks(place: Place, world: LinksWorld): Promise<number> {
  const { terminal, now } = world;
  return withDesk(place, world, async (desk) => {
    const link = linkOf(desk, place, terminal);
    if (typeof link === 'number') return link;
    const links = await link.list();
    if (place.json) printJson(terminal, links);
    else if (links.length === 0) {
      const how = desk.role === 'core' ? 'fedway link join, with a token of an Edge' : 'fedway link invite NAME';
      terminal.err(`fedway: ${desk.name} is paired with no box yet: ${how}.`);
    } else printLinks(links, terminal, now());
    return EXIT.ok;
  });
}

/** `fedway link revoke`. */
export function revoke(place: Place, name: string, world: ReachWorld): Promise<number> {
  const { terminal } = world;
  return withDesk(place, world, async (desk) => {
    const link = linkOf(desk, place, terminal);
    if (typeof link === 'number') return link;
    const revoked = await link.revoke(name);
    if ('refused' in revoked) return refuse([revoked.refused], place, terminal);
    if (place.json) printJson(terminal, revoked);
    else terminal.out(visible(`Revoked ${revoked.revoked}.`));
    return EXIT.ok;
  });
}
