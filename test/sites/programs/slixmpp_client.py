"""A client of somebody else: logs in with slixmpp, and does what the words on its command line say, one after the other.

usage: slixmpp_client.py ADDRESS HOST PORT starttls|tls AUTHORITIES WORD...

words: say=ADDRESS=TEXT, expect=TEXT, subscribe=ADDRESS, see=ADDRESS, join=ROOM=NICK, room=ROOM=TEXT, hear=TEXT, ping=ADDRESS, archive=ADDRESS=COUNT
The password is the environment variable PASSWORD. Each word that is done is printed; the first that fails ends it with status 1.
"""

import asyncio
import os
import ssl
import sys

import slixmpp

PATIENCE = 20


class Client(slixmpp.ClientXMPP):
    def __init__(self, address, password, words):
        super().__init__(address + "/slixmpp", password)
        self.words = words
        self.status = 1
        self.texts = asyncio.Queue()
        self.heard = asyncio.Queue()
        self.seen = set()
        for plugin in ("xep_0030", "xep_0045", "xep_0059", "xep_0115", "xep_0198", "xep_0199", "xep_0280", "xep_0313"):
            self.register_plugin(plugin)
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("failed_auth", self.refused)
        self.add_event_handler("message", self.message)
        self.add_event_handler("groupchat_message", lambda stanza: self.heard.put_nowait(stanza["body"]))
        self.add_event_handler("presence_available", lambda stanza: self.seen.add(stanza["from"].bare))

    def message(self, stanza):
        if stanza["type"] in ("chat", "normal"):
            self.texts.put_nowait(stanza["body"])

    def refused(self, _event):
        print("authentication failed", flush=True)
        self.abort()

    async def start(self, _event):
        try:
            self.send_presence()
            await self.get_roster()
            for word in self.words:
                kind, *rest = word.split("=", 2)
                await asyncio.wait_for(getattr(self, "do_" + kind)(*rest), PATIENCE)
                print("done:", word, flush=True)
            self.status = 0
        except Exception as error:  # whatever it is, it is the answer
            print("failed:", type(error).__name__, error, flush=True)
        await self.disconnect()

    async def do_say(self, to, text):
        self.send_message(mto=to, mbody=text, mtype="chat")

    async def do_expect(self, text):
        while await self.texts.get() != text:
            pass

    async def do_subscribe(self, to):
        self.send_presence_subscription(pto=to)

    async def do_see(self, who):
        while who not in self.seen:
            await asyncio.sleep(0.05)

    async def do_join(self, room, nick):
        await self["xep_0045"].join_muc_wait(room, nick, timeout=PATIENCE)

    async def do_room(self, room, text):
        self.send_message(mto=room, mbody=text, mtype="groupchat")

    async def do_hear(self, text):
        while await self.heard.get() != text:
            pass

    async def do_ping(self, to):
        await self["xep_0199"].ping(to, timeout=PATIENCE)

    async def do_archive(self, who, count):
        found = 0
        results = self["xep_0313"].retrieve(with_jid=slixmpp.JID(who), iterator=True, rsm={"max": 2})
        async for page in results:
            found += len(page["mam"]["results"])
        assert found == int(count), f"{found} messages in the archive"


def main():
    address, host, port, how, authorities, *words = sys.argv[1:]
    client = Client(address, os.environ["PASSWORD"], words)
    client.ssl_context.load_verify_locations(authorities)
    client.ssl_context.verify_mode = ssl.CERT_REQUIRED
    client.ca_certs = authorities
    client.connect((host, int(port)), use_ssl=how == "tls", force_starttls=how == "starttls")
    client.process(forever=False)
    sys.exit(client.status)


main()
