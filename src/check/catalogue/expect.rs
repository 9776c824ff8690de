//! A node that is not what its manifest says.

use super::Entry;
use crate::check::Layer;

macro_rules! entries {
    ($($id:ident, $layer:ident, $title:literal, $explanation:literal;)*) => {
        $(pub(in crate::check) const $id: &str = stringify!($id);)*

        pub(super) const EXPECT: &[Entry] = &[$(Entry {
            id: $id,
            layer: Layer::$layer,
            title: $title,
            explanation: $explanation,
            source: "the manifest of railtop expect --save, as the site keeps it",
        }),*];
    };
}

entries! {
    RAIL_ABSENT, Pcie, "a rail of the manifest is not there",
        "The manifest names a rail and no port has its identity (PCI address and port). The adapter is not \
         seen by the kernel: look at lspci and the kernel log; or it sits in another slot, which its port GUID \
         tells. A rail that never appeared cannot be missed by any tool that looks only at what is there.";
    RAIL_RENAMED, Netdev, "a rail has another name than in the manifest",
        "The port is the one that the manifest means, and its interface has another name. Files, routes and \
         options that name the interface (modprobe.d, lnet.conf, NetworkManager) mean another rail now, or \
         none. Names follow udev rules, BIOS and PCI order: see systemd.link(5).";
    RAIL_SWAPPED, Address, "what the manifest expects on one rail is on another",
        "An address or an LNet NI that the manifest expects on this rail is on another rail of this node: \
         interfaces were renamed, adapters changed places, or configuration files were. Both rails may work, \
         and yet each talks to the other's switch.";
    RAIL_DOWNGRADED, Cable, "the link is slower than the manifest says",
        "The port is ACTIVE at a lower rate than the manifest expects, with fewer lanes or at a lower speed, or has no link. Reseat or \
         swap the cable, look at the switch port. If the new rate is meant, railtop expect --save learns it.";
    RAIL_CHANGED, Netdev, "MTU or IPoIB mode is not that of the manifest",
        "The interface has another MTU or IPoIB mode than the manifest expects: a setting was lost at boot, or \
         changed on purpose. All nodes of a subnet need the same MTU.";
    EXPECTED_ADDRESS_MISSING, Address, "an address of the manifest is gone",
        "The manifest expects an address on this rail, and no rail of the node has it: the interface was set \
         up without it, or it was removed.";
    EXPECTED_NI_MISSING, Ni, "an LNet NI of the manifest is gone",
        "The manifest expects an LNet NI on this rail, and LNet has it nowhere: lnet.conf was not imported, the \
         interface came up too late, or the NI was deleted.";
    FIRMWARE_CHANGED, Pcie, "the firmware is not that of the manifest",
        "The adapter runs another firmware than the manifest names: it was updated, or the adapter was replaced. \
         Leave the key firmware out of the manifest if that is of no interest.";
    RAIL_UNEXPECTED, Pcie, "a rail that the manifest does not know",
        "A rail is there that the manifest does not name: an adapter was added or sits in another slot. railtop \
         expect --save learns the node anew.";
}
