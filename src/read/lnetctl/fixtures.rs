//! Outputs in the shapes of the versions, for the tests.

/// 2.7: a flat list.
pub(super) const V2_7: &str = "\
net:
    - nid: 192.168.5.1@tcp2
      status: up
      interfaces:
          0: eth3
      tunables:
          peer_timeout: 180
          peer_credits: 8
          peer_buffer_credits: 0
          credits: 256
    - nid: 192.168.6.1@o2ib
      status: down
    - nid: 192.168.5.2@tcp2
      status: up
";

/// 2.10: no health, `lnd tunables` null for tcp and filled for o2ib.
pub(super) const V2_10: &str = "\
net:
    - net type: lo
      local NI(s):
        - nid: 0@lo
          status: up
          statistics:
              send_count: 0
              recv_count: 0
              drop_count: 0
          tunables:
              peer_timeout: 0
              peer_credits: 0
              peer_buffer_credits: 0
              credits: 0
          lnd tunables:
          tcp bonding: 0
          dev cpt: 0
          CPT: \"[0,1]\"
    - net type: o2ib
      local NI(s):
        - nid: 172.16.34.1@o2ib
          status: up
          interfaces:
              0: ib0
          statistics:
              send_count: 4120
              recv_count: 4111
              drop_count: 3
          tunables:
              peer_timeout: 180
              peer_credits: 32
              peer_buffer_credits: 0
              credits: 256
          lnd tunables:
              peercredits_hiw: 16
              map_on_demand: 0
              ntx: 512
              conns_per_peer: 1
          tcp bonding: 0
          dev cpt: -1
          CPT: \"[0,1]\"
";

/// 2.12 to 2.14: the o2ib keys stand in `tunables`, an empty `lnd tunables:` follows.
pub(super) const V2_14: &str = "\
net:
    - net type: o2ib
      local NI(s):
        - nid: 172.16.34.1@o2ib
          status: up
          interfaces:
              0: ib0
          statistics:
              send_count: 918
              recv_count: 917
              drop_count: 12
          sent_stats:
              put: 612
              get: 306
              reply: 0
              ack: 0
              hello: 0
          health stats:
              health value: 870
              interrupts: 0
              dropped: 1
              aborted: 0
              no route: 0
              timeouts: 3
              error: 0
          tunables:
              peer_timeout: 180
              peer_credits: 32
              peer_buffer_credits: 0
              credits: 256
              peercredits_hiw: 16
              map_on_demand: 1
              conns_per_peer: 1
          lnd tunables:
          dev cpt: 1
          tcp bonding: 0
          CPT: \"[0,1]\"
";

/// 2.15: `udsp info`, `fatal_error`, `ping_count`; a tcp NI without a device.
pub(super) const V2_15: &str = "\
net:
    - net type: lo
      local NI(s):
        - nid: 0@lo
          status: up
          health stats:
              fatal_error: 0
              health value: 942
          dev cpt: 0
          CPT: \"[0]\"
    - net type: tcp
      local NI(s):
        - nid: 10.1.1.1@tcp
          status: up
          statistics:
              send_count: 314
              recv_count: 310
              drop_count: 0
          udsp info:
              net priority: -1
              nid priority: 0
              Preferred gateway NIDs:
              - 10.9.9.1@tcp
          health stats:
              fatal_error: 1
              health value: 0
              interrupts: 7
              ping_count: 4
              next_ping: 260
          tunables:
              peer_timeout: 180
              peer_credits: 8
              peer_buffer_credits: 0
              credits: 256
          lnd tunables:
              conns_per_peer: 1
          dev cpt: -1
          CPT: \"[0]\"
";

/// 2.16 and later: 6-space libyaml, dashes in the parent's column, IPv6 NIDs.
pub(super) const V2_16: &str = "\
net:
-     net type: lo
      local NI(s):
      -     nid: 0@lo
            status: up
            dev cpt: 0
            CPT: \"[0]\"
-     net type: o2ib
      local NI(s):
      -     nid: 172.16.34.1@o2ib
            status: up
            interfaces:
                  0: ib0
            statistics:
                  send_count: 4294967295
                  recv_count: 17
                  drop_count: 0
            udsp info:
                  net priority: -1
                  nid priority: -1
            sent_stats:
                  put: 163
                  get: 155
            health stats:
                  fatal_error: 0
                  health value: 1000
                  no route: 0
            tunables:
                  peer_timeout: 180
                  peer_credits: 8
                  peer_buffer_credits: 0
                  credits: 256
            lnd tunables:
                  map_on_demand: true
                  timeout: 49
                  tos: -1
            dev cpt: -1
            CPT: \"[0,1,2]\"
      -     nid: 172.16.35.1@o2ib
            status: down
            interfaces:
                  0: ib1
            health stats:
                  fatal_error: 1
                  health value: 900
-     net type: tcp
      local NI(s):
      -     nid: fd00:1::11@tcp
            status: up
            interfaces:
                  0: eth0:1
";

/// All of them.
pub(super) const ALL: [&str; 5] = [V2_7, V2_10, V2_14, V2_15, V2_16];

/// Loaded, not configured, up to 2.15.
pub(super) const DOWN_2_15: &str = "\
show:
    - net:
          errno: -100
          descr: \"cannot get networks: Network is down\"
";

/// Loaded, not configured, from 2.16.
pub(super) const DOWN_2_16: &str = "\
---
show:
-     net:
      errno: -100
      descr: ! \"Unspecific failure\"
...
";

/// Not root, up to 2.15: with a hint that is wrong here.
pub(super) const DENIED_2_15: &str = "\
opening /dev/lnet failed: Permission denied
hint: the kernel modules may not be loaded
show:
    - net:
          errno: -13
          descr: \"cannot get networks: Permission denied\"
";

/// Not root, from 2.16.
pub(super) const DENIED_2_16: &str = "\
---
show:
-     net:
      errno: -1
      descr: ! \"Operation not permitted\"
...
";

/// Modules absent, up to 2.15 (exit 0).
pub(super) const UNLOADED_2_15: &str = "\
opening /dev/lnet failed: No such file or directory
hint: the kernel modules may not be loaded
";

/// Modules absent, from 2.16 (exit 234).
pub(super) const UNLOADED_2_16: &str = "Writer error: failed to resolve Netlink family id\n";

mod more;
pub(super) use more::*;

/// Every good output, with its top-level key.
pub(super) fn every() -> Vec<(&'static str, &'static str)> {
    let mut all: Vec<_> = ALL.iter().map(|text| ("net", *text)).collect();
    all.extend([
        ("peer", PEERS_2_10),
        ("peer", PEERS_2_14),
        ("peer", PEERS_2_15),
        ("peer", PEERS_2_16),
        ("statistics", STATS_2_10),
        ("statistics", STATS_2_17),
        ("global", GLOBAL_2_12),
        ("global", GLOBAL_2_16),
        ("route", ROUTES_2_7),
        ("route", ROUTES_2_15),
        ("route", ROUTES_2_17),
        ("routing", ROUTING),
        ("udsp", UDSP_2_15),
        ("udsp", UDSP_2_17),
    ]);
    all
}
