//! The counters that tell about health: widths, meanings, causes.

use super::CounterGroup::{Hardware, Netdev, Port};
use super::{Alarm, CounterGroup, CounterInfo};

/// InfiniBand Architecture Specification, PortCounters; the widths are those of the kernel.
const PMA: &str = "InfiniBand Architecture Specification vol. 1, PortCounters; Linux \
    drivers/infiniband/core/sysfs.c (PORT_PMA_ATTR)";
/// mlx5's Q counters.
const MLX5: &str = "NVIDIA, Understanding mlx5 Linux counters; Linux \
    drivers/infiniband/hw/mlx5/counters.c";

const ANY: Option<Alarm> = Some(Alarm { is_warning: true, more_than: 0, more_than_up_to_edr: 0 });
/// The threshold of ibqueryerrors' own example file, within ten minutes instead of ever.
const MANY: Option<Alarm> =
    Some(Alarm { is_warning: false, more_than: 100, more_than_up_to_edr: 100 });
/// On links without forward error correction more than ten an hour.
const SYMBOLS: Option<Alarm> =
    Some(Alarm { is_warning: true, more_than: 0, more_than_up_to_edr: 1 });

const fn port(
    name: &'static str,
    bits: u32,
    unit: &'static str,
    alarm: Option<Alarm>,
) -> CounterInfo {
    entry(name, Port, Some(bits), unit, PMA, alarm)
}

const fn hardware(name: &'static str, alarm: Option<Alarm>) -> CounterInfo {
    entry(name, Hardware, None, "events", MLX5, alarm)
}

const fn entry(
    name: &'static str,
    group: CounterGroup,
    bits: Option<u32>,
    unit: &'static str,
    source: &'static str,
    alarm: Option<Alarm>,
) -> CounterInfo {
    CounterInfo { name, group, bits, unit, meaning: "", cause: "", source, alarm }
}

impl CounterInfo {
    const fn tells(self, meaning: &'static str, cause: &'static str) -> Self {
        Self { meaning, cause, ..self }
    }

    const fn from(self, source: &'static str) -> Self {
        Self { source, ..self }
    }
}

/// All of them; the order is that of a screen on which nothing moved.
pub static COUNTERS: &[CounterInfo] = &[
    port("link_downed", 8, "losses", ANY).tells(
        "the link failed to recover and went down",
        "cable or transceiver; switch port or peer restarted; somebody pulled the plug",
    ),
    port("link_error_recovery", 8, "recoveries", ANY).tells(
        "the link lost its signal quality and trained again, without going down",
        "marginal cable, connector or transceiver",
    ),
    port("symbol_error", 16, "errors", SYMBOLS).tells(
        "bit errors on a lane; from HDR on those that forward error correction could not mend",
        "cable, connector or transceiver; clean or swap it",
    ),
    port("port_rcv_errors", 16, "packets", ANY).tells(
        "packets came with errors: bad checksum, malformed, no room",
        "cable on this side, or a buffer problem of the neighbour",
    ),
    port("local_link_integrity_errors", 4, "events", ANY).tells(
        "physical errors came more often than the threshold of the port allows",
        "cable, connector or transceiver",
    ),
    port("excessive_buffer_overrun_errors", 4, "events", ANY).tells(
        "the input buffer overflowed again and again",
        "credits or virtual lanes of the two ends disagree, or the signal is bad",
    ),
    port("port_xmit_discards", 16, "packets", MANY).tells(
        "packets to be sent were dropped: the port was down, or congested for too long",
        "congestion towards the fabric, or follows from a lost link",
    ),
    port("port_rcv_remote_physical_errors", 16, "packets", MANY).tells(
        "packets came that somebody before had marked as bad",
        "not this cable: a bad link elsewhere on the path (ibqueryerrors finds it)",
    ),
    port("port_xmit_constraint_errors", 8, "packets", MANY).tells(
        "packets were not sent because partition or raw filters forbid it",
        "partition keys of this node and of the subnet manager disagree",
    ),
    port("port_rcv_constraint_errors", 8, "packets", MANY).tells(
        "packets were refused because partition or raw filters forbid them",
        "another node sends with a partition key that is not allowed here",
    ),
    port("VL15_dropped", 16, "packets", MANY).tells(
        "management packets were dropped for lack of buffers",
        "too many management queries at once: perfquery, ibdiagnet, a sweep of the manager",
    ),
    port("port_rcv_switch_relay_errors", 16, "packets", None).tells(
        "packets that a switch could not pass on",
        "harmless on an adapter: multicast that came back",
    ),
    port("port_xmit_wait", 32, "ticks", None).tells(
        "ticks in which data waited and nothing was sent, for lack of credits or of a turn",
        "congestion: the receivers, or the fabric on the way to them, take no more",
    ),
    entry(
        "carrier_down_count",
        Netdev,
        Some(32),
        "losses",
        "Linux net/core/link_watch.c, \
        drivers/infiniband/ulp/ipoib/ipoib_multicast.c",
        None,
    )
    .tells(
        "the interface lost its carrier; IPoIB's goes also on a change of LID or MTU",
        "the witness of lost links where link_downed stands at its end",
    ),
    hardware("local_ack_timeout_err", ANY).tells(
        "a request was not acknowledged in time",
        "packets are lost on the way, or the peer is dead",
    ),
    hardware("req_transport_retries_exceeded", ANY).tells(
        "a connection broke because its retries ran out",
        "the path to a peer is lost; jobs die of it",
    ),
    hardware("rx_icrc_encapsulated", ANY).tells(
        "RoCE packets came with a wrong invariant checksum",
        "something on the way changes packets: a switch, a cable, memory of an adapter",
    ),
    hardware("packet_seq_err", None).tells(
        "peers told that our packets came out of order or not at all",
        "packets are lost; harmless with adaptive routing",
    ),
    hardware("out_of_sequence", None)
        .tells("packets came out of order", "packets are lost; harmless with adaptive routing"),
    hardware("implied_nak_seq_err", None)
        .tells("answers to reads or atomics were missing", "packets are lost on the way back"),
    hardware("duplicate_request", None).tells(
        "requests came a second time",
        "our answers are lost or late, so that peers send again",
    ),
    hardware("rnr_nak_retry_err", None).tells(
        "peers told that they were not ready to receive",
        "the application at the other end posts too few receive buffers",
    ),
    hardware("req_rnr_retries_exceeded", None).tells(
        "a connection broke because the peer was not ready for too long",
        "the application at the other end hangs",
    ),
    hardware("out_of_buffer", None).tells(
        "packets were dropped because no receive buffer was posted",
        "the application here posts too few receive buffers",
    ),
    hardware("req_cqe_error", None).tells(
        "requests of ours ended with an error, those flushed at teardown included",
        "compare with req_cqe_flush_error: only the difference is trouble",
    ),
    hardware("resp_cqe_error", None).tells(
        "receives of ours ended with an error, those flushed at teardown included",
        "compare with resp_cqe_flush_error: only the difference is trouble",
    ),
    hardware("req_remote_access_errors", None).tells(
        "peers refused access to their memory",
        "a fault of the application, or a peer that restarted",
    ),
    hardware("resp_remote_access_errors", None)
        .tells("access to our memory was refused", "a fault of the application at the other end"),
    hardware("req_remote_invalid_request", None)
        .tells("peers called our requests invalid", "a fault of the application"),
    hardware("resp_local_length_error", None).tells(
        "messages came that were longer than the buffer for them",
        "a fault of the application",
    ),
    hardware("np_ecn_marked_roce_packets", None)
        .tells("packets came with the mark of congestion", "congestion on the way to this node"),
    hardware("np_cnp_sent", None)
        .tells("senders were told to slow down", "congestion on the way to this node"),
    hardware("rp_cnp_handled", None)
        .tells("this node was told to slow down, and did", "congestion where this node sends to"),
    hardware("rp_cnp_ignored", None).tells(
        "this node was told to slow down, and did not",
        "congestion control is off on this adapter",
    ),
    hardware("roce_adp_retrans", None).tells(
        "RoCE's adaptive retransmission sent packets again",
        "packets are lost: flow control or congestion control of the switches",
    ),
    hardware("roce_adp_retrans_to", None).tells(
        "RoCE's adaptive retransmission ran into its timeout",
        "packets are lost: flow control or congestion control of the switches",
    ),
    hardware("roce_slow_restart", None).tells(
        "RoCE began anew at a low rate after a loss",
        "packets are lost: flow control or congestion control of the switches",
    ),
    hardware("sq_num_to", ANY)
        .tells(
            "a request was not acknowledged in time (mlx4)",
            "packets are lost on the way, or the peer is dead",
        )
        .from("Linux drivers/infiniband/hw/mlx4/main.c (diag counters)"),
    hardware("rq_num_oos", None)
        .tells("packets came out of order (mlx4)", "packets are lost on the way")
        .from("Linux drivers/infiniband/hw/mlx4/main.c (diag counters)"),
    hardware("to_retransmits", None)
        .tells(
            "packets were sent again after a timeout (bnxt_re)",
            "packets are lost on the way, or the peer is dead",
        )
        .from("Linux drivers/infiniband/hw/bnxt_re/hw_counters.c"),
    hardware("seq_err_naks_rcvd", None)
        .tells("peers told that packets came out of order (bnxt_re)", "packets are lost on the way")
        .from("Linux drivers/infiniband/hw/bnxt_re/hw_counters.c"),
    hardware("rx_roce_errors", None)
        .tells(
            "RoCE packets came with errors (bnxt_re)",
            "cable, or something on the way that changes packets",
        )
        .from("Linux drivers/infiniband/hw/bnxt_re/hw_counters.c"),
    hardware("tcpRetransSegs", None)
        .tells("TCP segments of iWARP were sent again (irdma)", "packets are lost on the way")
        .from("Linux drivers/infiniband/hw/irdma/verbs.c"),
    hardware("cnpHandled", None)
        .tells(
            "this node was told to slow down, and did (irdma)",
            "congestion where this node sends to",
        )
        .from("Linux drivers/infiniband/hw/irdma/verbs.c"),
    hardware("rx_drops", None)
        .tells(
            "packets were dropped on receipt (efa)",
            "the application posts too few receive buffers",
        )
        .from("Linux drivers/infiniband/hw/efa/efa_verbs.c"),
];
