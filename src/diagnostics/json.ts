import { jsonLine } from './escape.ts';
import type { LogRecord } from './record.ts';

/**
 * The format for programs: one object per line. `time` (ISO 8601, UTC), `level`, `module`, `code`, what is known of `connection`,
 * `direction`, `side`, `local`, `remote`, `peer`, then `message`, then the note's own fields. These names do not change.
 */
export function jsonRecord(record: LogRecord): string {
  const { time, severity, module, code, subject, sentence, fields } = record;
  return jsonLine({
    time: new Date(time).toISOString(),
    level: severity,
    module,
    code,
    connection: subject.connection,
    direction: subject.direction,
    side: subject.side,
    local: subject.local,
    remote: subject.remote,
    peer: subject.peer,
    message: sentence,
    ...fields,
  });
}
