import type { Alarm, BoxStatus, LinkStatus } from '../box/operations.ts';
import { shownTime } from './output.ts';

/** Something that is wrong with a box: what, in a sentence, and what to do about it. */
export interface HealthProblem {
  /** The box that it is wrong with. */
  readonly box: string;
  readonly what: string;
  readonly cure: string;
  /** The box itself has raised it. */
  readonly alarm?: Pick<Alarm, 'id' | 'title' | 'cause' | 'since'>;
}

/** Link certificates are renewed long before: less than this, and renewing does not work. */
const RENEWAL_OVERDUE_MS = 7 * 86_400_000;

/**
 * What is wrong with one box, the worst first; not with the others that it tells of. What an administrator has decided, such as that federation is
 * off, is not wrong. `now`: Unix milliseconds.
 */
export function problemsOf(status: BoxStatus, now: number): readonly HealthProblem[] {
  const found = [...alarmProblems(status), ...linkProblems(status, now), ...homeProblems(status)];
  return found.map((problem) => ({ box: status.name, ...problem }));
}

/** Problems of another box that are told: what it says of itself may be anything. */
const TOLD_OF_OTHERS = 20;

/** The same for a box and all that it tells of; of each other box the first few. */
export function allProblems(status: BoxStatus, now: number): readonly HealthProblem[] {
  const others = status.others.flatMap((other) => problemsOf(other, now).slice(0, TOLD_OF_OTHERS));
  return [...problemsOf(status, now), ...others];
}

/** How a box is, in a few words. */
export function inAWord(status: BoxStatus, now: number): string {
  const [first, ...more] = problemsOf(status, now);
  if (first === undefined) return status.federation.on ? 'Federating' : 'Federation is off';
  const what = first.alarm === undefined ? first.what : `Alarm ${first.alarm.id}: ${first.what}`;
  return more.length === 0 ? what : `${what} (and ${more.length} more)`;
}

type Found = Omit<HealthProblem, 'box'>;

function alarmProblems({ alarms }: BoxStatus): readonly Found[] {
  return alarms.map(({ id, title, what, detail, cause, cure, since }) => ({
    what: detail === undefined ? ended(what) : `${what}: ${ended(detail)}`,
    cure,
    alarm: { id, title, cause, since },
  }));
}

function linkProblems({ role, links }: BoxStatus, now: number): readonly Found[] {
  if (role === 'single') return [];
  if (!links.some(({ state }) => state !== 'revoked')) return [role === 'edge' ? NO_CORE : NO_EDGE];
  return links.flatMap((link) => [...downProblem(role, link), ...renewalProblem(link, now)]);
}

const NO_CORE: Found = {
  what: 'No Core is paired with this Edge, so nothing reaches the servers inside.',
  cure: 'Make a token here with fedway link invite NAME, and use it on the Core with fedway link join.',
};
const NO_EDGE: Found = {
  what: 'This Core is paired with no Edge, so nothing reaches the world.',
  cure: 'Make a token on the Edge with fedway link invite NAME, and use it here with fedway link join.',
};

function downProblem(role: 'edge' | 'core', link: LinkStatus): readonly Found[] {
  const { name, state, because } = link;
  const why = because === undefined || because === '' ? '.' : `: ${ended(because)}`;
  switch (state) {
    case 'up':
      return [];
    case 'down':
      return [
        {
          what: `The Link to ${name} is down${why}`,
          cure:
            role === 'edge'
              ? `See that the Core ${name} runs, and that the firewall lets it reach the Link port of this Edge.`
              : `See that the Edge ${name} runs, and that this box may reach its Link port.`,
        },
      ];
    case 'never connected':
      return [
        {
          what: `${name} is paired and has never connected${why}`,
          cure:
            role === 'edge'
              ? `See that the Core ${name} runs and may reach the Link port of this Edge; fedway link revoke ${name} ends the pairing.`
              : `See that the Edge ${name} runs, and that this box may reach its Link port.`,
        },
      ];
    case 'revoked':
      // On the Edge somebody has wanted that.
      return role === 'edge'
        ? []
        : [
            {
              what: `The Edge ${name} has revoked this Core.`,
              cure: `If that was a mistake, make a new token there with fedway link invite, and use it here with fedway link join; otherwise forget the Edge with fedway link revoke ${name}.`,
            },
          ];
  }
}

function renewalProblem({ name, state, certificateUntil }: LinkStatus, now: number): readonly Found[] {
  if (state === 'revoked' || certificateUntil === undefined || certificateUntil - now > RENEWAL_OVERDUE_MS) return [];
  const when = shownTime(certificateUntil);
  return [
    {
      what: `The certificate of the Link to ${name} ${certificateUntil > now ? 'ends' : 'has ended'} at ${when} and has not been renewed.`,
      cure: 'It is renewed over the Link: keep that up. When it has ended, pair the boxes anew with fedway link invite and fedway link join.',
    },
  ];
}

/** Partners come and go; that a server inside is gone is ours to know. */
function homeProblems({ pairs }: BoxStatus): readonly Found[] {
  const gone = new Set(
    pairs.filter(({ side, state }) => side === 'home' && state === 'bounce').map(({ target }) => target),
  );
  return [...gone].map((home) => ({
    what: `The server inside of ${home} cannot be reached; what is sent to it bounces.`,
    cure: 'See that it runs, that its address in the boot file is right, and what the log says of it.',
  }));
}

function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
