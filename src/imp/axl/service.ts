import { readSoapAction } from '../../axl/soap/action.ts';
import { readRequest } from '../../axl/soap/read.ts';
import { AXL_VERSIONS, type AxlRequest } from '../../axl/soap/types.ts';
import { type Written, writeFault, writeRows, writeUpdated } from '../../axl/soap/write.ts';
import type { NoteSink, NoteSubject } from '../../protocol/notes.ts';
import type { SqlAnswer, SqlKind } from '../sql/guard.ts';
import { axlRows } from './columns.ts';
import { type Reply, textReply } from './reply.ts';

export interface ServiceContext {
  readonly sql: { run(sql: string, kind: SqlKind): Promise<SqlAnswer> };
  /** `xmpps2snodes` may have changed. */
  readonly tableChanged: () => void;
  readonly notes: NoteSink;
}

/** A request for AXL, its account admitted. */
export interface Call {
  readonly user: string;
  /** The header `SOAPAction`. */
  readonly action: string | undefined;
  readonly body: Uint8Array;
  readonly subject: NoteSubject;
}

/** What came of a call: the answer, and for the log the function that was asked for, as far as it is known. */
export interface Called {
  readonly reply: Reply;
  readonly function: string;
}

const SUPPORTED: readonly string[] = AXL_VERSIONS;
const FUNCTIONS = 'This node has executeSQLQuery and executeSQLUpdate.';

/** Answers an AXL request: a result, or a SOAP fault, which HTTP sends with 500 (SOAP 1.1 §6.2). Never rejects. */
export async function answerCall(call: Call, context: ServiceContext): Promise<Called> {
  const action = readAction(call.action);
  if (typeof action === 'object' && 'fault' in action) return refused('unknown', undefined, action.fault);
  const asked = action?.function ?? 'unknown';
  if (action !== undefined && !SUPPORTED.includes(action.version)) return unsupported(asked, action.version);
  const read = readRequest(call.body);
  if ('fault' in read) return refused(asked, undefined, read.fault);
  const { function: named, version } = 'unknown' in read ? read.unknown : read.request;
  if (!SUPPORTED.includes(version)) return unsupported('unknown' in read ? 'unknown' : named, version);
  const mismatch = mismatchOf(action, named, version);
  if (mismatch !== undefined) return refused(asked, undefined, mismatch);
  if ('unknown' in read) return refused('unknown', undefined, `There is no such function. ${FUNCTIONS}`);
  return { reply: await answerRequest(read.request, call, context), function: named };
}

async function answerRequest(request: AxlRequest, { user, subject }: Call, context: ServiceContext): Promise<Reply> {
  const { function: named, sql } = request;
  context.notes({ note: 'imp-axl-statement', user, sql }, subject);
  const update = named === 'executeSQLUpdate';
  const answer = await context.sql.run(sql.trim(), update ? 'update' : 'query');
  if (update) context.tableChanged();
  if ('fault' in answer) {
    const { code, message } = answer.fault;
    // What SQL says of a statement repeats words of it: to the client, but not to the log.
    return { ...refused(named, code, message).reply, because: `SQL fault ${code}` };
  }
  const written =
    'updated' in answer
      ? writeUpdated(request, answer.updated)
      : writeRows(request, axlRows(answer.columns, answer.rows));
  return written200(written, named);
}

function written200(written: Written, named: string): Reply {
  return 'fault' in written
    ? refused(named, undefined, written.fault).reply
    : { status: 200, type: 'text/xml', body: written.xml };
}

/** Clients that are no AXL library leave the header out or empty. */
function readAction(header: string | undefined): ReturnType<typeof readSoapAction> | undefined {
  return header === undefined || /^\s*(?:"\s*")?\s*$/.test(header) ? undefined : readSoapAction(header);
}

function mismatchOf(
  action: { readonly version: string; readonly function: string | undefined } | undefined,
  named: string,
  version: string,
): string | undefined {
  if (action === undefined) return undefined;
  if (action.version !== version) {
    return `SOAPAction says version ${action.version}, the namespace of the request ${version}. Say the same in both.`;
  }
  return action.function !== undefined && action.function !== named
    ? `SOAPAction asks for ${action.function}, and the body for another function. Say the same in both.`
    : undefined;
}

function unsupported(asked: string, version: string): Called {
  const sentence = `Version ${version} of the AXL schema is not supported. Supported: ${SUPPORTED.join(', ')}.`;
  return { reply: textReply(599, sentence), function: asked };
}

function refused(asked: string, axlcode: number | undefined, axlmessage: string): Called {
  const body = writeFault({ axlcode, axlmessage, request: asked, faultstring: axlmessage }, 'Client');
  return { reply: { status: 500, type: 'text/xml', body, because: axlmessage }, function: asked };
}
