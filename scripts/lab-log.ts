/** One line of fedway's text log, taken apart. */
export interface LogStep {
  readonly level: string;
  /** `coluc.com > vngtp.lab`: ours, the direction the stream was opened in, theirs; `-` when it is about no stream. */
  readonly pair: string;
  readonly module: string;
  readonly sentence: string;
  /** The element on the wire, where the line shows one. */
  readonly xml: string | undefined;
  /** About the server inside, not about a partner. */
  readonly home: boolean;
}

const LINE = /^\S+ (ERROR|WARN|INFO|DEBUG|VBOSE) +(\S+ [<>-] \S+|-) +(\S+) +([a-z0-9.]+) +(.*)$/;

/** The first field, which ends the sentence. */
const FIELDS = / [a-z_]+=(?:"(?:[^"\\]|\\.)*"|[^\s"]+)(?= [a-z_]+=|$)/;

/** `undefined` for a line that is not of the log (a warning of the runtime, say). */
export function parseLogLine(line: string): LogStep | undefined {
  const parts = LINE.exec(line);
  if (parts === null) return undefined;
  const [, level = '', pair = '-', , module = '', rest = ''] = parts;
  const end = rest.search(FIELDS);
  const sentence = end < 0 ? rest : rest.slice(0, end);
  const fields = end < 0 ? '' : rest.slice(end);
  const xml = / xml="((?:[^"\\]|\\.)*)"/.exec(fields)?.[1]?.replaceAll(/\\(.)/g, '$1');
  return { level, pair, module, sentence, xml, home: / side=home(?: |$)/.test(fields) };
}

/** Modules that tell how two domains find each other and prove who they are. */
const TELLING = new Set([
  's2s.dialback',
  's2s.sasl',
  's2s.tls',
  's2s.connect',
  'dns',
  'routing',
  'developer.clusterdb.restapi',
  'network.axl',
  'imp.router',
  'alarm',
]);

/** Whether a step belongs into a story for people: discovery, encryption, authentication, and everything that went wrong. */
export function isTelling({ level, module, sentence }: LogStep): boolean {
  if (level === 'ERROR' || level === 'WARN') return true;
  if (level !== 'INFO') return false;
  return TELLING.has(module) || sentence.includes('are authorized on this stream');
}
