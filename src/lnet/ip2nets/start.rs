//! The start of NIs that a string asks for: which address each takes, and what fails.

use super::error::{EINVAL, ENETDOWN, Error};
use super::host::Host;
use super::networks::Wanted;
use super::outcome::Ni;
use super::{Context, Surprise, Version};
use std::net::IpAddr;

/// Device of o2ib where none is named: the parameter `ipif_name` of ko2iblnd.
pub const DEFAULT_IPIF: &str = "ib0";

/// NIs that were started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Started {
    /// In LNet's order: by net, in the order in which nets were named first.
    pub nis: Vec<Ni>,
    /// What nobody says.
    pub surprises: Vec<Surprise>,
}

/// Starts them all; the first that fails takes all down again.
pub fn all(wanted: &[Wanted], host: &Host, context: &Context) -> Result<Started, Box<Error>> {
    let mut started = Started::default();
    for ni in by_net(wanted) {
        started.nis.push(one(ni, host, context, &mut started.surprises)?);
    }
    Ok(started)
}

/// Stable, nets in the order of their first NI.
fn by_net(wanted: &[Wanted]) -> Vec<&Wanted> {
    let first = |w: &Wanted| wanted.iter().position(|other| other.net == w.net);
    let mut ordered: Vec<&Wanted> = wanted.iter().collect();
    ordered.sort_by_key(|w| first(w));
    ordered
}

fn one(
    wanted: &Wanted,
    host: &Host,
    context: &Context,
    surprises: &mut Vec<Surprise>,
) -> Result<Ni, Box<Error>> {
    let net = wanted.net;
    let ni = |device: Option<String>, address: Option<IpAddr>| Ni {
        net,
        named: wanted.device.clone(),
        device,
        address,
        cpts: wanted.cpts.clone(),
        rule: wanted.rule,
    };
    match net.lnd() {
        None => {
            let line = format!("Can't load LND ?{}?, module (null), rc=256", net.kind());
            let mut error = Error::new(EINVAL, [line]);
            error.cause = Some(format!(
                "the number of {} does not fit into 16 bits and turns the net into {net}, which \
                 no module serves",
                wanted.written
            ));
            error.at = Some(wanted.at.clone());
            Err(Box::new(error))
        }
        Some(lnd @ ("tcp" | "o2ib")) => {
            let default = (lnd == "o2ib").then_some(DEFAULT_IPIF);
            let name = wanted.device.as_deref().or(default);
            let candidates = host.candidates();
            let found = match name {
                Some(name) => candidates.iter().find(|c| &**c.label == name),
                None => candidates.first(),
            };
            let Some(found) = found else {
                return Err(Box::new(not_found(wanted, lnd, name, host, context.version)));
            };
            if lnd == "o2ib" {
                match found.interface.rdma {
                    Some(false) => return Err(Box::new(no_rdma(wanted, found))),
                    None => surprises.push(Surprise::new(
                        "RDMA_UNKNOWN",
                        format!(
                            "whether an RDMA device is behind {} cannot be told from here; \
                             without one o2ib fails with -100 and nothing starts",
                            found.label
                        ),
                    )),
                    Some(true) => {}
                }
            }
            Ok(ni(Some(found.label.to_string()), Some(IpAddr::V4(found.address))))
        }
        Some(other) => {
            surprises.push(Surprise::new(
                "NID_UNKNOWN",
                format!("the address of an NI of {other} cannot be told from here"),
            ));
            Ok(ni(wanted.device.clone(), None))
        }
    }
}

fn not_found(
    wanted: &Wanted,
    lnd: &str,
    name: Option<&str>,
    host: &Host,
    version: Version,
) -> Error {
    let module = if lnd == "tcp" { "ksocklnd" } else { "ko2iblnd" };
    let lines = match name {
        // The words of 2.12 and before are not known.
        _ if version < Version::new(2, 13, 0) => None,
        Some(name) if version >= Version::new(2, 15, 60) => {
            Some(format!("{module}: failed to find UP interface {name}"))
        }
        Some(_) if lnd == "o2ib" => Some("ko2iblnd: No matching interfaces".to_owned()),
        Some(name) => Some(format!("ksocklnd: failed to find interface {name}")),
        None => None,
    };
    let mut error = Error::new(ENETDOWN, lines).and(format!("Error -100 starting up LNI {lnd}"));
    error.cause = Some(match (name, &wanted.device) {
        (Some(name), None) => format!(
            "{} names no device, so o2ib wants {name} (ipif_name of ko2iblnd): {}",
            wanted.written,
            host.why_not(name)
        ),
        (Some(name), Some(_)) => host.why_not(name),
        (None, _) => "no interface is up and has an IPv4 address".to_owned(),
    });
    error.at = Some(wanted.at.clone());
    error
}

fn no_rdma(wanted: &Wanted, found: &super::host::Candidate<'_>) -> Error {
    let (label, address) = (found.label, found.address);
    let mut error = Error::new(
        ENETDOWN,
        [
            format!("Failed to bind {label}:{address} to device(0000000000000000): -19"),
            "ko2iblnd: Can't initialize device: rc = -19".to_owned(),
            "Error -100 starting up LNI o2ib".to_owned(),
        ],
    );
    error.cause = Some(format!("no RDMA device is behind {label}, which o2ib needs"));
    error.at = Some(wanted.at.clone());
    error
}
