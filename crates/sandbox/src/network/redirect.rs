//! The nf_tables ruleset of a session, in the kernel's own terms (linux/netfilter/nf_tables.h):
//!
//! ```text
//! table inet door { chain out { type nat hook output priority dstnat; policy accept;
//!     meta nfproto ipv4 ip daddr 127.0.0.0/8 accept        # services of the session itself, the gateway, the proxy
//!     meta nfproto ipv6 ip6 daddr ::1 accept
//!     meta l4proto tcp th dport 53 accept                  # names are answered at every address
//!     meta l4proto tcp redirect to :4182                   # the door
//! } }
//! ```

use crate::Error;
use crate::netlink::{ACK, APPEND, Attributes, Batch, CREATE, REQUEST, Socket};
use rustix::net::netlink;

const SUBSYSTEM: u16 = 10 << 8;
const NEW_TABLE: u16 = SUBSYSTEM;
const NEW_CHAIN: u16 = SUBSYSTEM | 3;
const NEW_RULE: u16 = SUBSYSTEM | 6;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
/// Table family `inet`: both IPv4 and IPv6.
const INET: [u8; 4] = [1, 0, 0, 0];
/// Batch header: no family, version 0, subsystem nf_tables in network order.
const BATCH: [u8; 4] = [0, 0, 0, 10];
const TABLE: &str = "door";
const CHAIN: &str = "out";
const HOOK_OUTPUT: u32 = 3;
const PRIORITY_DSTNAT: i32 = -100;
const ACCEPT: u32 = 1;
const REGISTER: u32 = 8;
const REGISTER_VERDICT: u32 = 0;
const BASE_NETWORK: u32 = 1;
const BASE_TRANSPORT: u32 = 2;
const META_NFPROTO: u32 = 15;
const META_L4PROTO: u32 = 16;
const NFPROTO_IPV4: u8 = 2;
const NFPROTO_IPV6: u8 = 10;
const TCP: u8 = 6;
const LOOPBACK_V6: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

pub(crate) fn install() -> Result<(), Error> {
    let socket = Socket::open(Some(netlink::NETFILTER))?;
    let (batch, acknowledgements) = ruleset();
    socket.transact(batch.bytes(), acknowledgements).map_err(Error::system("install the redirect to the door"))
}

fn ruleset() -> (Batch, usize) {
    let rules = [
        meta(META_NFPROTO).then(&equal(&[NFPROTO_IPV4])).then(&payload(BASE_NETWORK, 16, 1)).then(&equal(&[127])).then(&accept()),
        meta(META_NFPROTO).then(&equal(&[NFPROTO_IPV6])).then(&payload(BASE_NETWORK, 24, 16)).then(&equal(&LOOPBACK_V6)).then(&accept()),
        meta(META_L4PROTO)
            .then(&equal(&[TCP]))
            .then(&payload(BASE_TRANSPORT, 2, 2))
            .then(&equal(&super::NAME_PORT.to_be_bytes()))
            .then(&accept()),
        meta(META_L4PROTO).then(&equal(&[TCP])).then(&redirect(super::REDIRECT_PORT)),
    ];
    let mut batch = Batch::default();
    let table = Attributes::new().text(1, TABLE);
    let hook = Attributes::new().be32(1, HOOK_OUTPUT).be32(2, PRIORITY_DSTNAT.cast_unsigned());
    let chain = Attributes::new().text(1, TABLE).text(3, CHAIN).nest(4, &hook).be32(5, ACCEPT).text(7, "nat");
    batch.message(BATCH_BEGIN, REQUEST, &BATCH, &Attributes::new());
    batch.message(NEW_TABLE, REQUEST | CREATE | ACK, &INET, &table);
    batch.message(NEW_CHAIN, REQUEST | CREATE | ACK, &INET, &chain);
    let acknowledgements = 2 + rules.len();
    for rule in rules {
        let attributes = Attributes::new().text(1, TABLE).text(2, CHAIN).nest(4, &rule.0);
        batch.message(NEW_RULE, REQUEST | CREATE | APPEND | ACK, &INET, &attributes);
    }
    batch.message(BATCH_END, REQUEST, &BATCH, &Attributes::new());
    (batch, acknowledgements)
}

/// A list of nf_tables expressions.
struct Expressions(Attributes);

impl Expressions {
    fn one(name: &str, data: &Attributes) -> Self {
        let expression = Attributes::new().text(1, name).nest(2, data);
        Self(Attributes::new().nest(1, &expression))
    }

    fn then(self, next: &Self) -> Self {
        Self(self.0.append(&next.0))
    }
}

fn meta(key: u32) -> Expressions {
    Expressions::one("meta", &Attributes::new().be32(1, REGISTER).be32(2, key))
}

fn payload(base: u32, offset: u32, length: u32) -> Expressions {
    Expressions::one("payload", &Attributes::new().be32(1, REGISTER).be32(2, base).be32(3, offset).be32(4, length))
}

fn equal(value: &[u8]) -> Expressions {
    let data = Attributes::new().bytes(1, value);
    Expressions::one("cmp", &Attributes::new().be32(1, REGISTER).be32(2, 0).nest(3, &data))
}

fn accept() -> Expressions {
    let verdict = Attributes::new().nest(2, &Attributes::new().be32(1, ACCEPT));
    Expressions::one("immediate", &Attributes::new().be32(1, REGISTER_VERDICT).nest(2, &verdict))
}

fn redirect(port: u16) -> Expressions {
    let value = Attributes::new().bytes(1, &port.to_be_bytes());
    Expressions::one("immediate", &Attributes::new().be32(1, REGISTER).nest(2, &value))
        .then(&Expressions::one("redir", &Attributes::new().be32(1, REGISTER)))
}
