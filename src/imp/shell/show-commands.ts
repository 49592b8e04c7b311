import { visible } from '../../diagnostics/escape.ts';
import type { RouterStatus } from '../operations.ts';
import { type Command, type ShellContext, told, unsuccessful } from './command.ts';
import { THIS_MACHINE } from './machine.ts';
import { tableText } from './table.ts';

/** Names and what they are, one line each. */
function facts(rows: readonly (readonly [name: string, value: string])[]): readonly string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)} : ${visible(value)}`);
}

/** `2026-10-01 12:00:00`, in UTC. */
function shownTime(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replace('T', ' ');
}

function shownUptime(milliseconds: number): string {
  const minutes = Math.max(0, Math.floor(milliseconds / 60_000));
  const clock = [Math.floor(minutes / 60) % 24, minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
  const days = Math.floor(minutes / 1440);
  return `up ${days === 0 ? '' : `${days} day${days === 1 ? '' : 's'}, `}${clock}`;
}

function shownComponents({ components }: RouterStatus): string {
  const known = components.filter(({ inTable }) => inTable);
  const strangers = components.length - known.length;
  const connected = known.filter((each) => each.connected).length;
  return `${connected} of ${known.length} connected${strangers === 0 ? '' : `, ${strangers} more not in xmpps2snodes as read`}`;
}

const STATUS: Command = {
  words: ['show', 'status'],
  summary: 'how the node is',
  takesRest: false,
  run(_, { operations, clock, machine = THIS_MACHINE }) {
    const status = operations.status();
    const { router } = status;
    return told(
      ...facts([
        ['Host Name', machine.hostName()],
        ['Node Name', status.name],
        ['Date', `${shownTime(clock())} UTC`],
        ['Product Ver', `fedway ${status.version}`],
        ['Uptime', shownUptime(clock() - status.since)],
        [
          'Load',
          machine
            .load()
            .map((one) => one.toFixed(2))
            .join(' '),
        ],
        ['Memory', `${(machine.memory() / 1024 ** 2).toFixed(0)} MiB`],
        ['Domain', status.domain],
        ['Chat Rooms', status.rooms ?? 'none'],
        ['Users', String(status.users)],
        ['Sessions', String(status.sessions)],
        ['XCP Router', `${shownUptime(clock() - router.since)}${router.restartNeeded ? ', restart needed' : ''}`],
        ['Edge components', shownComponents(router)],
        ['Stanzas bounced', String(router.bounced)],
        ['XMPP Federation', status.federation === 'on' ? 'On' : 'Off'],
      ]),
    );
  },
};

const VERSION: Command = {
  words: ['show', 'version', 'active'],
  summary: 'the version that runs',
  takesRest: false,
  run: (_, { operations }) => told(`Active Master Version: ${operations.status().version}`),
};

const NETWORK: Command = {
  words: ['show', 'network', 'eth0'],
  summary: 'the interface of the node and what listens on it',
  takesRest: false,
  run(_, { listeners, machine = THIS_MACHINE }) {
    const device = machine.interfaceOf(addressesOf(listeners()));
    const addresses = machine.addresses().filter(([name]) => device === 'any' || name === device);
    return told(
      `Ethernet 0 is ${device === 'any' ? 'every interface of this machine' : device}`,
      ...(addresses.length === 0 ? [] : [tableText(['interface', 'address'], addresses)]),
      '',
      tableText(
        ['listener', 'address'],
        listeners().map(({ what, address }) => [what, address]),
      ),
    );
  },
};

/** The addresses in `host:port`, without their ports. */
function addressesOf(listeners: ReturnType<ShellContext['listeners']>): readonly string[] {
  return listeners.map(({ address }) => address.replace(/:\d+$/, '').replaceAll(/[[\]]/g, ''));
}

const USERS: Command = {
  words: ['show', 'users'],
  summary: 'the users of the node',
  takesRest: false,
  run(_, { operations }) {
    const users = operations.users.list();
    return told(
      tableText(
        ['userid', 'address', 'status', 'sessions', 'created'],
        users.map(({ user, address, active, sessions, created }) => [
          user,
          address,
          active ? 'active' : 'inactive',
          String(sessions),
          shownTime(created),
        ]),
      ),
    );
  },
};

const NOTIFICATIONS: Command = {
  words: ['show', 'notifications'],
  summary: 'what asks for somebody',
  takesRest: false,
  run(_, { operations }) {
    const all = operations.notifications();
    if (all.length === 0) return told('No notifications.');
    const shown = all.map(({ id, since, text, cure }) =>
      [`${shownTime(since)} UTC  ${visible(id)}`, `  ${visible(text)}`, `  Cure: ${visible(cure)}`].join('\n'),
    );
    return told(shown.join('\n\n'));
  },
};

const FEDERATION: Command = {
  words: ['show', 'xmpp', 'federation'],
  summary: 'whether this node federates by itself',
  takesRest: false,
  run: (_, { operations }) => told(`XMPP Federation Node Status: ${operations.federation() === 'on' ? 'On' : 'Off'}`),
};

const SET_FEDERATION: Command = {
  words: ['set', 'xmpp', 'federation'],
  usage: 'on|off',
  summary: 'switch the federation of this node by itself; off while an Edge does it',
  takesRest: true,
  loggable: (rest) => (/^(?:on|off)$/i.test(rest) ? rest.toLowerCase() : ''),
  completions: () => ['on', 'off'],
  run(rest, { operations }, { author }) {
    const state = rest.toLowerCase();
    if (state !== 'on' && state !== 'off') return unsuccessful('Write on or off: set xmpp federation off');
    const outcome = operations.setFederation(state, author);
    return 'done' in outcome ? told(visible(outcome.done)) : unsuccessful(visible(outcome.refused));
  },
};

export const SHOW_COMMANDS: readonly Command[] = [
  FEDERATION,
  NETWORK,
  NOTIFICATIONS,
  STATUS,
  USERS,
  VERSION,
  SET_FEDERATION,
];
