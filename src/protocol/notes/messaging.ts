/** What an IM&P node does for its users: rosters, presence, messages, rooms. */
export type MessagingNote =
  // Accounts
  /** `items`: of the roster; `requests`: of people who are not in it. Told once, until there was none for a while. */
  | {
      readonly note: 'roster-full';
      readonly account: string;
      readonly what: 'items' | 'requests';
      readonly limit: number;
    }
  /** What was sent to a session that broke: to other sessions of the user, kept until there is one, back to who sent it. */
  | {
      readonly note: 'messages-undelivered';
      readonly account: string;
      readonly moved: number;
      readonly kept: number;
      readonly returned: number;
    }
  // Chat rooms
  | { readonly note: 'room-created'; readonly room: string; readonly by: string }
  /** `empty`: the last occupant of a temporary room has left; `by`: the owner who destroyed it. */
  | {
      readonly note: 'room-ended';
      readonly room: string;
      readonly because: 'destroyed' | 'empty';
      readonly by: string | undefined;
    }
  /** Somebody wanted to make a room, and must not. */
  | { readonly note: 'room-refused'; readonly room: string; readonly by: string; readonly because: string }
  /** An occupant was taken out of a room because what is sent to it comes back. */
  | { readonly note: 'room-ghost'; readonly room: string; readonly occupant: string; readonly condition: string }
  /** An occupant sends more than a room takes. */
  | {
      readonly note: 'room-flood';
      readonly room: string;
      readonly from: string;
      readonly what: 'messages' | 'presence';
    }
  | { readonly note: 'room-not-stored'; readonly room: string; readonly detail: string };
