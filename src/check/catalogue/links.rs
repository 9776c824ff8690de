//! Counters of the link, and the PCIe path.

use super::Entry;
use crate::check::Layer;

pub(in crate::check) const ERRORS_RISING: &str = "ERRORS_RISING";
pub(in crate::check) const COUNTER_SATURATED: &str = "COUNTER_SATURATED";
pub(in crate::check) const LINK_FLAPPING: &str = "LINK_FLAPPING";
pub(in crate::check) const PCIE_LIMITED: &str = "PCIE_LIMITED";
pub(in crate::check) const PCIE_DOWNGRADED: &str = "PCIE_DOWNGRADED";

pub(super) const LINKS: &[Entry] = &[
    Entry {
        id: LINK_FLAPPING,
        layer: Layer::Cable,
        title: "the link was lost three times or more within an hour",
        explanation: "The link went down and came back at least three times within the last hour, as far as \
            railtop watched. A loss is counted by link_downed, or by railtop's own look at the state, \
            whichever saw more; where link_downed stands at its maximum (255), cannot be read or does not \
            exist, the carrier losses of the interface count, except while it is administratively down. A \
            port that somebody disabled did not lose its link. Each loss stalls or kills what runs over the \
            rail. Look at the cable, the transceivers and the switch port.",
        source: "Linux drivers/infiniband/core/sysfs.c; leptonai/gpud (three drops make a flap), \
            Azure/azurehpc-health-checks (lost carrier, counted)",
    },
    Entry {
        id: ERRORS_RISING,
        layer: Layer::Cable,
        title: "error counters rise",
        explanation: "Counters of the port rose within the last ten minutes, or since railtop started; what \
            they stood at before is never held against the link. A warning: link_downed, \
            link_error_recovery, port_rcv_errors, local_link_integrity_errors, \
            excessive_buffer_overrun_errors, local_ack_timeout_err, req_transport_retries_exceeded, \
            rx_icrc_encapsulated and mlx4's sq_num_to by any rise; symbol_error by any rise from HDR on, where only errors \
            that forward error correction could not mend are counted, and by 2 or more in ten minutes (more \
            than 10 an hour) on links up to EDR. A note, by more than 100 in ten minutes: \
            port_xmit_discards, port_rcv_remote_physical_errors, the two constraint_errors, VL15_dropped. \
            The other counters are shown and never judged. railtop explain COUNTER tells what one means. \
            In the first minutes after a link came up a few errors are usual.",
        source: "Linux drivers/infiniband/core/sysfs.c; NVIDIA, Understanding mlx5 Linux counters; \
            infiniband-diags etc/error_thresholds; ibdiagnet manual (BER below 10^-12)",
    },
    Entry {
        id: COUNTER_SATURATED,
        layer: Layer::Cable,
        title: "error counters stand at their maximum",
        explanation: "Error counters of the port stand at the end of their register (15, 255 or 65535): they \
            stay there until somebody resets them, and nothing new is counted. That they show no rise means \
            nothing. Where link_downed is one of them, the carrier losses of the interface are counted \
            instead. perfquery -R (as root) sets the counters of the port to 0; so does a restart of the \
            driver.",
        source: "InfiniBand Architecture Specification vol. 1, PortCounters; Linux \
            drivers/infiniband/core/sysfs.c (PORT_PMA_ATTR); leptonai/gpud#943",
    },
    Entry {
        id: PCIE_DOWNGRADED,
        layer: Layer::Pcie,
        title: "a PCIe link came up worse than both its ends can",
        explanation: "A PCIe link between the adapter and the root has fewer lanes or a lower speed than both \
            of its ends can. Fewer lanes are always a fault: a card that does not sit well, dirty contacts, \
            a bad riser (or a riser that has fewer lanes than the slot says). A lower speed is a fault only \
            where it stays under load (more than 10 % of what the rail can carry) or where an equal card of \
            this node runs faster: some platforms let idle links run slower. A warning, and a note where \
            the slower link still carries more than the port. Ends that \
            contradict each other are not judged: the upper one is made up by a hypervisor.",
        source: "Linux drivers/pci/pci.c (pcie_bandwidth_available); PCI Express Base Specification, Link \
            Status Register",
    },
    Entry {
        id: PCIE_LIMITED,
        layer: Layer::Pcie,
        title: "the slot carries less than the link",
        explanation: "By what both ends of its PCIe links can, the adapter gets less through its slot than its \
            port can carry: the slot has fewer lanes or an older generation than the card wants. That is \
            how the node was built, so it is a note; a warning where an equal card of this node sits in a \
            better slot. Two ports of one card in one group are told of together, and so are two functions \
            on one cable. Figures are after line coding; packet headers take another 5 to 9 %. At least x16: \
            generation 3 for EDR (100 Gb/s), 4 for HDR (200), 5 for NDR (400), 6 for XDR (800).",
        source: "Linux drivers/pci/pci.h (PCIE_SPEED2MBS_ENC), drivers/pci/pci.c \
            (__pcie_print_link_status)",
    },
];
