"""A client of somebody else: logs in with slixmpp, and does what the words on its command line say, one after the other.

usage: slixmpp_client.py ADDRESS HOST PORT starttls|tls AUTHORITIES WORD...

ADDRESS may name the resource. The password is the environment variable PASSWORD. Each word that is done is printed with what came of it; the first that
fails ends it with status 1. A word is its kind and its arguments, with = between them (the last one may have = in it): `say=bob@vngtp.lab=hello`. The
kinds are the methods `do_...` below.
"""

import asyncio
import os
import ssl
import sys

import slixmpp
from slixmpp.plugins.xep_0084.stanza import MetaData

PATIENCE = 20
PLUGINS = ("0004", "0030", "0045", "0054", "0059", "0084", "0092", "0115", "0153", "0172", "0191", "0198", "0199", "0203", "0249", "0280", "0297", "0313")
# The smallest picture that there is; nobody looks at it.
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c636060606000000005000185f8a3e20000000049454e44ae426082"
)


class Client(slixmpp.ClientXMPP):
    def __init__(self, address, password, words):
        super().__init__(address if "/" in address else address + "/slixmpp", password)
        self.words = words
        self.status = 1
        # Not the end of a connection, which is not the end of a session.
        self.over = self.loop.create_future()
        self.started = False
        self.endpoint = None
        # What came, in order; each text is for one word.
        self.came = asyncio.Queue()
        self.waiting = []
        self.seen = {}
        for plugin in PLUGINS:
            self.register_plugin("xep_" + plugin)
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("session_resumed", lambda _: self.came.put_nowait(("resumed", "")))
        self.add_event_handler("failed_all_auth", self.refused)
        self.add_event_handler("message", self.message)
        self.add_event_handler("message_error", lambda stanza: self.came.put_nowait(("error", stanza["error"]["condition"])))
        self.add_event_handler("groupchat_message", lambda stanza: self.came.put_nowait(("hear", stanza["body"])))
        self.add_event_handler("groupchat_subject", lambda stanza: self.came.put_nowait(("subject", stanza["subject"])))
        self.add_event_handler("groupchat_direct_invite", self.invited)
        self.add_event_handler("carbon_received", lambda stanza: self.came.put_nowait(("received", stanza["carbon_received"]["body"])))
        self.add_event_handler("carbon_sent", lambda stanza: self.came.put_nowait(("sent", stanza["carbon_sent"]["body"])))
        self.add_event_handler("avatar_metadata_publish", self.avatar)
        for event in ("presence_available", "presence_unavailable", "groupchat_presence"):
            self.add_event_handler(event, self.presence)

    def message(self, stanza):
        if stanza["type"] in ("chat", "normal"):
            kind = "delayed" if stanza["delay"]["stamp"] else "expect"
            self.came.put_nowait((kind, stanza["body"]))

    def invited(self, stanza):
        self.came.put_nowait(("invited", stanza["groupchat_invite"]["jid"].bare))

    def avatar(self, stanza):
        # Not by slixmpp's own iteration: it is in the middle of one over the same items, and a second one begins that anew.
        ids = [info.get("id") for info in stanza.xml.iter("{%s}info" % MetaData.namespace)]
        self.came.put_nowait(("avatar", stanza["from"].bare + " " + ",".join(ids)))

    def presence(self, stanza):
        what = stanza["type"]
        self.seen[stanza["from"].full] = what
        self.seen[stanza["from"].bare] = what
        codes = stanza["muc"]["status_codes"] if what == "unavailable" else ()
        self.came.put_nowait(("left", stanza["from"].full + "".join(f" {code}" for code in sorted(codes))))

    def refused(self, _event):
        print("authentication failed", flush=True)
        self.over.set_result(None)

    async def start(self, _event):
        # Who has resumed begins nothing again; whoever could not, does.
        if self.started:
            self.came.put_nowait(("restarted", ""))
            return
        self.started = True
        try:
            await self["xep_0280"].enable()
            await self.get_roster()
            self.send_presence()
            for word in self.words:
                kind, *rest = word.split("=", 2)
                result = await asyncio.wait_for(getattr(self, "do_" + kind)(*rest), PATIENCE)
                print("done:", word, "" if result is None else result, flush=True)
            self.status = 0
        except Exception as error:  # whatever it is, it is the answer
            print("failed:", word, type(error).__name__, error, "of what came, left:", self.waiting, flush=True)
        await self.disconnect()
        self.over.set_result(None)

    async def until(self, *wanted):
        """Takes the first of what has come, or will, that is this; the rest waits for later words."""
        while wanted not in self.waiting:
            self.waiting.append(await self.came.get())
        self.waiting.remove(wanted)

    # Messages.

    async def do_say(self, to, text):
        self.send_message(mto=to, mbody=text, mtype="chat")

    async def do_expect(self, text):
        await self.until("expect", text)

    async def do_delayed(self, text):
        await self.until("delayed", text)

    async def do_received(self, text):
        await self.until("received", text)

    async def do_sent(self, text):
        await self.until("sent", text)

    async def do_error(self, condition):
        await self.until("error", condition)

    async def do_archive(self, who, count):
        found = []
        results = self["xep_0313"].retrieve(with_jid=slixmpp.JID(who), iterator=True, rsm={"max": 2})
        async for page in results:
            for result in page["mam"]["results"]:
                found.append(result["mam_result"]["forwarded"]["stanza"]["body"])
        assert len(found) == int(count), f"in the archive: {found}"

    # Presence and rosters. slixmpp consents to every request and asks back.

    async def do_subscribe(self, to):
        self.send_presence_subscription(pto=to)

    async def do_unsubscribe(self, to):
        await self.update_roster(to, subscription="remove")

    async def do_see(self, who):
        while self.seen.get(who) in (None, "unavailable"):
            await asyncio.sleep(0.05)

    async def do_missing(self, who):
        while self.seen.get(who) != "unavailable":
            await asyncio.sleep(0.05)

    async def do_subscription(self, who, state):
        while self.client_roster[who]["subscription"] != state:
            await asyncio.sleep(0.05)

    async def do_block(self, who):
        await self["xep_0191"].block(who)

    async def do_unblock(self, who):
        await self["xep_0191"].unblock(who)

    # Rooms.

    async def do_join(self, room, nick):
        await self["xep_0045"].join_muc_wait(room, nick, timeout=PATIENCE)

    async def do_room(self, room, text):
        self.send_message(mto=room, mbody=text, mtype="groupchat")

    async def do_hear(self, text):
        await self.until("hear", text)

    async def do_subject(self, text):
        await self.until("subject", text)

    async def do_invited(self, room):
        await self.until("invited", room)

    async def do_left(self, occupant_and_codes):
        await self.until("left", occupant_and_codes)

    async def do_leave(self, room, nick):
        await self["xep_0045"].leave_muc_wait(room, nick, timeout=PATIENCE)

    # Queries.

    async def do_ping(self, to):
        await self["xep_0199"].ping(slixmpp.JID(to), timeout=PATIENCE)

    async def do_self(self, who):
        """Its own address is still the one that it had, as the server sees it."""
        assert self.boundjid.full == who, self.boundjid.full

    async def do_feature(self, of, name):
        info = await self["xep_0030"].get_info(jid=of)
        assert name in info["disco_info"]["features"], sorted(info["disco_info"]["features"])

    async def do_item(self, of, address):
        items = await self["xep_0030"].get_items(jid=of)
        found = [str(item[0]) for item in items["disco_items"]["items"]]
        assert address in found, found

    async def do_version(self, of):
        answer = await self["xep_0092"].get_version(of)
        return answer["software_version"]["name"] + " " + answer["software_version"]["version"]

    async def do_vcard(self, name):
        card = self["xep_0054"].make_vcard()
        card["FN"] = name
        await self["xep_0054"].publish_vcard(card)

    async def do_card(self, of, name):
        answer = await self["xep_0054"].get_vcard(of, cached=False)
        assert answer["vcard_temp"]["FN"] == name, answer

    async def do_picture(self):
        """An avatar that everybody may see."""
        options = self["xep_0004"].make_form(ftype="submit")
        options.add_field(var="FORM_TYPE", ftype="hidden", value="http://jabber.org/protocol/pubsub#publish-options")
        options.add_field(var="pubsub#access_model", value="open")
        await self["xep_0084"].publish_avatar(PICTURE, options=options)
        name = self["xep_0084"].generate_id(PICTURE)
        await self["xep_0084"].publish_avatar_metadata({"id": name, "type": "image/png", "bytes": len(PICTURE)}, options=options)

    async def do_avatar(self, of):
        name = self["xep_0084"].generate_id(PICTURE)
        await self.until("avatar", f"{of} {name}")
        answer = await self["xep_0084"].retrieve_avatar(of, name)
        for item in answer["pubsub"]["items"]:
            assert item["avatar_data"]["value"] == PICTURE, answer

    async def do_photo(self, of):
        """The same picture by the older way (XEP-0153, XEP-0398)."""
        answer = await self["xep_0054"].get_vcard(of, cached=False)
        assert answer["vcard_temp"]["PHOTO"]["BINVAL"] == PICTURE, answer

    # The stream.

    async def do_wait(self, seconds):
        await asyncio.sleep(float(seconds))

    async def do_resume(self):
        """The connection breaks; slixmpp connects again and resumes its session (XEP-0198 §5)."""
        assert self["xep_0198"].sm_id, "no session that can be resumed"
        broken = self.wait_until("disconnected")
        self.transport.abort()
        await broken
        self.open()
        while not any(kind in ("resumed", "restarted") for kind, _ in self.waiting):
            self.waiting.append(await self.came.get())
        assert ("restarted", "") not in self.waiting, "a new session in place of the old one"
        self.waiting.remove(("resumed", ""))

    def open(self):
        host, port, how = self.endpoint
        self.connect((host, port), use_ssl=how == "tls", force_starttls=how == "starttls")


def main():
    address, host, port, how, authorities, *words = sys.argv[1:]
    client = Client(address, os.environ["PASSWORD"], words)
    client.ssl_context.load_verify_locations(authorities)
    client.ssl_context.verify_mode = ssl.CERT_REQUIRED
    client.ca_certs = authorities
    client.endpoint = (host, int(port), how)
    client.open()
    client.loop.run_until_complete(client.over)
    sys.exit(client.status)


main()
