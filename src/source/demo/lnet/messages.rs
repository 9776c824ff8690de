//! Which messages move a number of bytes.

/// Bulk transfers of Lustre are split into messages of 1 MiB (`LNET_MTU`).
pub(super) const BULK: u64 = 1 << 20;

/// Messages by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds {
    pub(super) put: u64,
    pub(super) get: u64,
    pub(super) reply: u64,
    pub(super) ack: u64,
}

impl Kinds {
    /// In the order in which `lnetctl` prints them; Lustre sends no hello.
    pub(super) fn named(&self) -> [(&'static str, u64); 5] {
        let Self { put, get, reply, ack } = *self;
        [("put", put), ("get", get), ("reply", reply), ("ack", ack), ("hello", 0)]
    }

    pub(super) fn sum(&self) -> u64 {
        self.put + self.get + self.reply + self.ack
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.put += other.put;
        self.get += other.get;
        self.reply += other.reply;
        self.ack += other.ack;
    }

    /// One of `of` parts; all of them together are the whole.
    pub(super) fn part(&self, which: u64, of: u64) -> Self {
        let cut = |n: u64| (n + which) / of.max(1);
        Self { put: cut(self.put), get: cut(self.get), reply: cut(self.reply), ack: cut(self.ack) }
    }
}

/// Both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Messages {
    pub(super) sent: Kinds,
    pub(super) received: Kinds,
}

impl Messages {
    /// Of so many bytes. The client asks with a PUT for each bulk message and is answered with
    /// one; the server PUTs what is read, which the client acknowledges, and GETs what is written.
    pub(super) fn of(received: u64, sent: u64, server: bool) -> Self {
        let (into, out) = (received / BULK, sent / BULK);
        let (read, written) = if server { (out, into) } else { (into, out) };
        let of_client = Kinds { put: read + written, get: 0, reply: written, ack: read };
        let of_server = Kinds { put: 2 * read + written, get: written, reply: 0, ack: 0 };
        if server {
            Self { sent: of_server, received: of_client }
        } else {
            Self { sent: of_client, received: of_server }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_make_the_whole(put: u32, get: u32, ack: u32, of in 1u64..40) {
            let [put, get, ack] = [put, get, ack].map(u64::from);
            let whole = Kinds { put, get, reply: put / 3, ack };
            let mut sum = Kinds::default();
            (0..of).for_each(|which| sum.add(&whole.part(which, of)));
            prop_assert_eq!(sum, whole);
        }

        #[test]
        fn what_a_client_sends_a_server_receives(into: u64, out: u64) {
            let (client, server) = (Messages::of(into, out, false), Messages::of(out, into, true));
            prop_assert_eq!((client.sent, client.received), (server.received, server.sent));
            prop_assert_eq!(client.sent.sum(), client.received.sum());
        }
    }
}
