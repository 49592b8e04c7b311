/** How a room is set up (XEP-0045 §10.2), by its owners. */
export interface RoomConfig {
  /** The title; `''`: none. */
  readonly title: string;
  readonly description: string;
  /** A language tag (RFC 5646), `''` when the room does not say. */
  readonly language: string;
  /** Listed by the service. */
  readonly public: boolean;
  /** Outlives its occupants. */
  readonly persistent: boolean;
  /** `undefined`: no password is asked for. */
  readonly password: string | undefined;
  readonly membersOnly: boolean;
  readonly moderated: boolean;
  /** Who learns the addresses of occupants: everybody (a non-anonymous room) or moderators (a semi-anonymous one). */
  readonly whois: 'anyone' | 'moderators';
  /** Occupants; admins and owners can enter beyond that. */
  readonly maxUsers: number;
  /** In a members-only room members may invite, and who is invited becomes a member; in an open one everybody may. */
  readonly allowInvites: boolean;
  /** Participants may change the subject. */
  readonly changeSubject: boolean;
  /** From which role on private messages may be sent. */
  readonly privateMessages: 'anyone' | 'participants' | 'moderators' | 'none';
  /** Messages that whoever enters is shown at most. */
  readonly history: number;
  /** Messages are kept in an archive (XEP-0313), as long as the room is persistent. */
  readonly archive: boolean;
}

/** Whether the messages of the room go into an archive. */
export function isArchived({ archive, persistent }: RoomConfig): boolean {
  return archive && persistent;
}

/** What an instant room is (XEP-0045 §10.1.2). */
export const INSTANT_ROOM: RoomConfig = {
  title: '',
  description: '',
  language: '',
  public: true,
  persistent: false,
  password: undefined,
  membersOnly: false,
  moderated: false,
  whois: 'moderators',
  maxUsers: 200,
  allowInvites: true,
  changeSubject: false,
  privateMessages: 'anyone',
  history: 20,
  archive: true,
};
