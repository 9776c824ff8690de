//! What a link can carry: the kernel's rate strings and interface speeds.

use super::{LinkRate, RailNetdev, RailRdma, RateSource};
use crate::sample::{Fact, How, Reading, Text, Unknown, Why};

/// A rate string taken apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Printed<'a> {
    /// The number before `Gb/sec`.
    pub gigabits: f64,
    /// Lanes.
    pub width: Option<u32>,
    /// SDR … XDR.
    pub speed: Option<&'a str>,
}

/// Parses `200 Gb/sec (4X HDR)` and its older and shorter forms.
///
/// Kernels up to 4.x print no name for SDR: `10 Gb/sec (4X)`.
pub(super) fn parse(text: &str) -> Option<Printed<'_>> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    if !number.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let gigabits: f64 = number.parse().ok()?;
    if !(gigabits > 0.0 && gigabits < 1e6) {
        return None;
    }
    let rest = rest.trim_start();
    if rest.is_empty() {
        return Some(Printed { gigabits, width: None, speed: None });
    }
    let lanes = rest.strip_prefix("Gb/sec")?.trim_start();
    let inner = lanes.strip_prefix('(').and_then(|l| l.strip_suffix(')')).unwrap_or("");
    let mut words = inner.split_ascii_whitespace();
    let width = words.next().and_then(|w| w.strip_suffix('X')).and_then(|w| w.parse().ok());
    let width = width.filter(|w| (1..=64).contains(w));
    let speed = if width.is_some() { words.next() } else { None };
    Some(Printed { gigabits, width, speed })
}

/// Data per lane in Gb/s after line coding: 8b/10b up to QDR, 64b/66b for FDR10 to EDR, and FEC
/// whose cost is not in the nominal rate from HDR on.
fn data_per_lane(speed: &str) -> Option<f64> {
    Some(match speed {
        "SDR" => 2.0,
        "DDR" => 4.0,
        "QDR" => 8.0,
        "FDR10" => 10.0,
        "FDR" => 14.0625 * 64.0 / 66.0,
        "EDR" => 25.0,
        "HDR" => 50.0,
        "NDR" => 100.0,
        "XDR" => 200.0,
        _ => return None,
    })
}

/// Usable gigabits per second of an InfiniBand rate string; `Err` holds the nominal rate where the
/// coding is not known.
pub(super) fn usable_gigabits(printed: &Printed<'_>) -> Result<f64, f64> {
    let Some(width) = printed.width else { return Err(printed.gigabits) };
    let lanes = f64::from(width);
    let per_lane = match printed.speed {
        Some(speed) => data_per_lane(speed),
        None if (printed.gigabits - 2.5 * lanes).abs() < 0.01 => data_per_lane("SDR"),
        None => None,
    };
    per_lane.map(|lane| lane * lanes).ok_or(printed.gigabits)
}

/// The rate of a rail's link now.
pub(super) fn of(rdma: Option<&RailRdma>, netdev: Option<&RailNetdev>) -> LinkRate {
    match rdma {
        Some(port) if !port.state.is_active() => inactive(port),
        Some(port) if port.is_ethernet() => of_ethernet_port(port, netdev),
        Some(port) => of_port(port),
        None => netdev.map_or_else(|| nothing(&absent()), of_netdev),
    }
}

/// A port that is not ACTIVE prints a placeholder (`10 Gb/sec (4X SDR)`, RoCE 40): it means nothing.
fn inactive(port: &RailRdma) -> LinkRate {
    match &port.raw_state {
        Ok(state) => {
            let detail = format!("port is {}", state.word);
            nothing(&Unknown::new(Why::Inactive, detail))
        }
        Err(unknown) => nothing(unknown),
    }
}

fn of_port(port: &RailRdma) -> LinkRate {
    let text = match &port.port_attrs.rate {
        Ok(text) => text,
        Err(unknown) => return nothing(unknown),
    };
    let Some(printed) = parse(text) else {
        return nothing(&Unknown::new(Why::Unparsable, text.clone()));
    };
    if printed.speed == Some("SDR") && knows_xdr(port) {
        // Kernels without XDR fall back to the SDR text on an ACTIVE XDR port.
        let detail = format!("{text}: this kernel has no name for the real rate");
        return nothing(&Unknown::new(Why::Unsupported, detail));
    }
    let nominal = Fact::known(printed.gigabits * 1e9);
    let usable = match usable_gigabits(&printed) {
        Ok(gigabits) => Fact::known(gigabits * 1e9),
        Err(nominal) => {
            Fact::known(nominal * 1e9).qualified(How::Estimate, "line coding is not known")
        }
    };
    let constant = port.device_attrs.driver.as_ref().is_ok_and(|d| d == "efa");
    let note = |fact: Fact<f64>| {
        if constant {
            fact.qualified(How::Estimate, "efa prints a constant on older kernels")
        } else {
            fact
        }
    };
    LinkRate {
        nominal_bits_per_second: note(nominal),
        width: printed.width.map_or_else(|| unparsed(text), Fact::known),
        speed: Fact::known(Text::new(printed.speed.unwrap_or(""))),
        usable_bits_per_second: note(usable),
        source: RateSource::Port,
    }
}

/// ConnectX-8 and later by `hca_type` (MT + PCI device id in decimal).
fn knows_xdr(port: &RailRdma) -> bool {
    let hca = port.device_attrs.hca_type.as_deref();
    hca.is_ok_and(|h| matches!(h, "MT4131" | "MT4133" | "MT4135"))
}

/// Ethernet reuses the InfiniBand names by lane arithmetic; the netdev knows better.
fn of_ethernet_port(port: &RailRdma, netdev: Option<&RailNetdev>) -> LinkRate {
    if let Some(bits) = netdev.and_then(|n| speed_bits(n).ok()) {
        return of_speed(bits);
    }
    let software = port.device_attrs.driver.as_ref().is_ok_and(|d| d == "rxe" || d == "siw");
    let text = match &port.port_attrs.rate {
        Ok(text) => text,
        Err(unknown) => return nothing(unknown),
    };
    match parse(text) {
        // What drivers print for a speed they do not know.
        Some(p) if software || p.gigabits < 2.6 => {
            nothing(&Unknown::new(Why::Unsupported, format!("{text} is a placeholder")))
        }
        Some(p) => {
            let name = "the RDMA name of an Ethernet speed";
            let bits = Fact::known(p.gigabits * 1e9).qualified(How::Estimate, name);
            LinkRate {
                nominal_bits_per_second: bits.clone(),
                width: p.width.map_or_else(|| unparsed(text), Fact::known),
                speed: Fact::known(Text::new(p.speed.unwrap_or(""))),
                usable_bits_per_second: bits,
                source: RateSource::Port,
            }
        }
        None => nothing(&Unknown::new(Why::Unparsable, text.clone())),
    }
}

fn of_netdev(netdev: &RailNetdev) -> LinkRate {
    match &netdev.carrier {
        Ok(true) => match speed_bits(netdev) {
            Ok(bits) => of_speed(bits),
            Err(unknown) => nothing(&unknown),
        },
        Ok(false) => nothing(&Unknown::new(Why::Inactive, format!("{}: no carrier", netdev.name))),
        Err(unknown) => nothing(unknown),
    }
}

/// `speed` in bits per second, where it means a link.
fn speed_bits(netdev: &RailNetdev) -> Reading<f64> {
    let attrs = netdev.attrs.as_ref().ok_or_else(absent)?;
    let megabits = attrs.speed_mbps.clone()?;
    let unset = attrs.is_virtual && (netdev.kind != Ok(32) || megabits == 10);
    if unset {
        // tun prints 10 unless told otherwise, veth always 10000: neither is a link.
        return Err(Unknown::new(Why::NotApplicable, "a virtual interface has no link rate"));
    }
    if megabits == 0 || megabits >= u64::from(u32::MAX) {
        return Err(Unknown::new(Why::Unsupported, format!("speed {megabits}")));
    }
    Ok(megabits as f64 * 1e6)
}

fn of_speed(bits: f64) -> LinkRate {
    let lanes = || Unknown::new(Why::NotApplicable, "Ethernet speed");
    LinkRate {
        nominal_bits_per_second: Fact::known(bits),
        width: Err(lanes()).into(),
        speed: Err(lanes()).into(),
        usable_bits_per_second: Fact::known(bits),
        source: RateSource::Netdev,
    }
}

/// No rate, and why.
pub(super) fn nothing(why: &Unknown) -> LinkRate {
    LinkRate {
        nominal_bits_per_second: Err(why.clone()).into(),
        width: Err(why.clone()).into(),
        speed: Err(why.clone()).into(),
        usable_bits_per_second: Err(why.clone()).into(),
        source: RateSource::Nothing,
    }
}

fn absent() -> Unknown {
    Unknown::new(Why::Absent, "no rate and no speed")
}

fn unparsed<T>(text: &Text) -> Fact<T> {
    Fact::unknown(Why::Unparsable, text.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WIDTHS: [u32; 5] = [1, 2, 4, 8, 12];
    /// Nominal per width as the kernel prints it, and usable data of 4X.
    const TABLE: [(&str, [&str; 5], f64); 9] = [
        ("SDR", ["2.5", "5", "10", "20", "30"], 8.0),
        ("DDR", ["5", "10", "20", "40", "60"], 16.0),
        ("QDR", ["10", "20", "40", "80", "120"], 32.0),
        ("FDR10", ["10", "20", "40", "80", "120"], 40.0),
        ("FDR", ["14", "28", "56", "112", "168"], 54.545),
        ("EDR", ["25", "50", "100", "200", "300"], 100.0),
        ("HDR", ["50", "100", "200", "400", "600"], 200.0),
        ("NDR", ["100", "200", "400", "800", "1200"], 400.0),
        ("XDR", ["200", "400", "800", "1600", "2400"], 800.0),
    ];

    #[test]
    fn all_forty_five_rate_strings() {
        for (speed, nominal, data4x) in TABLE {
            for (width, nominal) in WIDTHS.into_iter().zip(nominal) {
                let text = format!("{nominal} Gb/sec ({width}X {speed})");
                let p = parse(&text).expect(&text);
                assert_eq!((p.width, p.speed), (Some(width), Some(speed)), "{text}");
                assert!((p.gigabits - nominal.parse::<f64>().unwrap()).abs() < 1e-9);
                let usable = usable_gigabits(&p).expect(&text);
                assert!((usable - data4x * f64::from(width) / 4.0).abs() < 0.01, "{text}");
            }
        }
    }

    #[test]
    fn old_sdr_form_has_no_name() {
        for (text, usable) in
            [("10 Gb/sec (4X)", 8.0), ("2.5 Gb/sec (1X)", 2.0), ("30 Gb/sec (12X)\n", 24.0)]
        {
            let p = parse(text).unwrap();
            assert_eq!(p.speed, None);
            assert_eq!(usable_gigabits(&p), Ok(usable));
        }
    }

    #[test]
    fn a_name_to_come_keeps_the_nominal_rate() {
        let p = parse("1600 Gb/sec (4X ZDR)").unwrap();
        assert_eq!(usable_gigabits(&p), Err(1600.0));
        assert_eq!(usable_gigabits(&parse("100 Gb/sec").unwrap()), Err(100.0));
    }

    #[test]
    fn garbage_is_no_rate() {
        for text in ["", " ", "Gb/sec", "-1 Gb/sec (4X SDR)", "0 Gb/sec (4X SDR)", "1.2.3 Gb/sec"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
        for text in ["5: LinkUp", "N/A (no PMA)", "10 Mb/sec", "nan Gb/sec", "1e400 Gb/sec", "."] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn parse_never_panics(text in ".{0,60}") {
            if let Some(p) = parse(&text) {
                prop_assert!(p.gigabits > 0.0 && p.gigabits.is_finite());
                let usable = usable_gigabits(&p).unwrap_or_else(|n| n);
                prop_assert!(usable > 0.0);
            }
        }
    }
}
