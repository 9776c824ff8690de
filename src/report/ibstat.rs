//! What ibstat(8) prints, byte for byte, from a sample.
//!
//! Fields, words and conversions are those of infiniband-diags (rdma-core
//! `infiniband-diags/ibstat.c`, `libibumad/umad.c`, `sysfs.c`). Two things are better here: a
//! device that cannot be read hides none of the others (ibstat stops at it), and a device may
//! have ten ports and more (libibumad refuses it). Both leave what ibstat prints as it is.

use crate::sample::{Enumerated, RdmaDevice, RdmaPort, Reading, Sample, Text, Unknown, Why};
use std::fmt::Write;

/// What to print, as ibstat's options say it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options<'a> {
    /// `-l`: names of the devices alone.
    pub list: bool,
    /// `-s`: without the ports.
    pub short: bool,
    /// `-p`: GUIDs of the ports alone.
    pub ports: bool,
    /// Only this device …
    pub device: Option<&'a str>,
    /// … and of it this port.
    pub port: Option<u32>,
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// For stdout.
    pub text: String,
    /// What could not be printed, one sentence each; ibstat exits 255 then.
    pub failures: Vec<String>,
}

/// The exit code of ibstat where something could not be read (`exit(-1)`).
pub const FAILED: u8 = 255;

/// Prints what ibstat would.
pub fn print(sample: &Sample, options: &Options<'_>) -> Output {
    let mut output = Output::default();
    let devices = match &sample.rdma {
        Ok(devices) => devices.as_slice(),
        // No RDMA driver is loaded: ibstat prints nothing and is content.
        Err(unknown) if unknown.why == Why::Absent => &[],
        Err(unknown) => {
            output.failures.push(format!("RDMA devices cannot be listed: {unknown}"));
            return output;
        }
    };
    // libibumad takes channel adapters, switches and routers, in the order of strcmp(3).
    let mut chosen: Vec<&RdmaDevice> = devices.iter().map(AsRef::as_ref).collect();
    chosen.retain(|d| is_listed(d) && options.device.is_none_or(|name| d.name == *name));
    chosen.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
    if let (Some(name), true) = (options.device, chosen.is_empty()) {
        output.failures.push(no_such_device(devices.iter().map(AsRef::as_ref), name));
    }
    for device in chosen {
        if options.list && !options.ports {
            line(&mut output.text, format_args!("{}", device.name));
        } else if let Err(why) = stat(device, options, &mut output.text) {
            output.failures.push(format!("{}: {why}", device.name));
        }
    }
    output
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{words}");
}

/// `is_ib_type`: 1 CA, 2 switch, 3 router. A type that cannot be read may be one of them.
fn is_listed(device: &RdmaDevice) -> bool {
    match &device.attrs.node_type {
        Ok(kind) => (1..=3).contains(&kind.code),
        Err(unknown) => unknown.why == Why::Timeout,
    }
}

fn no_such_device<'a>(all: impl Iterator<Item = &'a RdmaDevice>, name: &str) -> String {
    let all: Vec<&RdmaDevice> = all.collect();
    if let Some(other) = all.iter().find(|d| d.name == *name) {
        let kind = other.attrs.node_type.as_ref().map_or("unknown", |k| k.word.as_str());
        return format!(
            "{name} is no InfiniBand device (node type {kind}): ibstat does not show it"
        );
    }
    let names: Vec<&str> = all.iter().filter(|d| is_listed(d)).map(|d| d.name.as_str()).collect();
    let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    format!("no RDMA device {name:?}; there are: {there}")
}

/// One device; nothing is printed of one of which anything that ibstat needs cannot be read.
fn stat(device: &RdmaDevice, options: &Options<'_>, text: &mut String) -> Result<(), String> {
    let attrs = &device.attrs;
    let kind = attrs.node_type.as_ref().map_err(|why| failed("node_type", why))?.code;
    let kind = ["???", "CA", "Switch", "Router"].get(kind as usize).unwrap_or(&"???");
    let node_guid = guid(&attrs.node_guid).map_err(|why| failed("node_guid", &why))?;
    let image_guid = guid(&attrs.sys_image_guid).map_err(|why| failed("sys_image_guid", &why))?;
    let ports: Vec<Port<'_>> = device.ports.iter().map(Port::of).collect::<Result<_, String>>()?;
    if options.ports {
        for port in ports.iter().filter(|p| p.guid != 0) {
            line(text, format_args!("{:#018x}", port.guid));
        }
        return Ok(());
    }
    if let (Some(number), false) = (options.port, options.short) {
        let Some(port) = ports.iter().find(|p| p.number == number) else {
            let most = ports.iter().map(|p| p.number).max().unwrap_or(0);
            return Err(format!("it has no port number {number}; the last is {most}"));
        };
        line(text, format_args!("{kind}: '{}'", device.name));
        port.print(text, "", "");
        return Ok(());
    }
    line(text, format_args!("{kind} '{}'", device.name));
    line(text, format_args!("\t{kind} type: {}", cut(&attrs.hca_type, 39)));
    let last = ports.iter().map(|p| p.number).max().unwrap_or(0);
    line(text, format_args!("\tNumber of ports: {last}"));
    line(text, format_args!("\tFirmware version: {}", cut(&attrs.fw_ver, 19)));
    line(text, format_args!("\tHardware version: {}", cut(&attrs.hw_rev, 19)));
    line(text, format_args!("\tNode GUID: {node_guid:#018x}"));
    line(text, format_args!("\tSystem image GUID: {image_guid:#018x}"));
    if !options.short {
        for port in &ports {
            port.print(text, "\t", "\t\t");
        }
    }
    Ok(())
}

fn failed(file: &str, unknown: &Unknown) -> String {
    format!("{file} cannot be read ({unknown})")
}

/// The value, empty where there is none; libibumad's fields are that long.
fn cut(value: &Reading<Text>, longest: usize) -> &str {
    let text = value.as_ref().map_or("", |t| t.as_str());
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|e| *e <= longest);
    text.get(..end.last().unwrap_or(0)).unwrap_or(text)
}

/// `sys_read_guid`: four groups of hex digits.
fn guid(value: &Reading<Text>) -> Result<u64, Unknown> {
    low_half(value, 4)
}

/// The last four of so many groups.
fn low_half(value: &Reading<Text>, groups: usize) -> Result<u64, Unknown> {
    let text = value.as_ref().map_err(Clone::clone)?;
    let words: Vec<&str> = text.split([':', ' ', '\t']).collect();
    let low = words.get(groups.saturating_sub(4)..groups);
    let low = low.ok_or_else(|| Unknown::new(Why::Unparsable, text.clone()))?;
    let hex = |word: &&str| u64::from_str_radix(word, 16).unwrap_or(0) & 0xffff;
    Ok(low.iter().fold(0, |guid, word| guid << 16 | hex(word)))
}

/// What ibstat knows of a port.
struct Port<'a> {
    number: u32,
    state: u32,
    phys_state: u32,
    rate: String,
    base_lid: u32,
    lmc: u32,
    sm_lid: u32,
    cap_mask: u32,
    guid: u64,
    link_layer: &'a str,
}

const STATES: [&str; 5] = ["???", "Down", "Initializing", "Armed", "Active"];

const PHYS_STATES: [&str; 8] = [
    "No state change",
    "Sleep",
    "Polling",
    "Disabled",
    "PortConfigurationTraining",
    "LinkUp",
    "LinkErrorRecovery",
    "PhyTest",
];

impl<'a> Port<'a> {
    /// `get_port`: fails where a file cannot be read; what is no number is 0 (`strtoul`).
    fn of(port: &'a RdmaPort) -> Result<Self, String> {
        let attrs = &port.attrs;
        let path = |file: &str| format!("ports/{}/{file}", port.number);
        let number = |file: &str, value: &Reading<u32>| match value {
            Ok(value) => Ok(*value),
            Err(unknown) if unknown.why == Why::Unparsable => Ok(0),
            Err(unknown) => Err(format!("{} cannot be read ({unknown})", path(file))),
        };
        let code = |file: &str, value: &Reading<Enumerated>| {
            number(file, &value.as_ref().map(|e| e.code).map_err(Clone::clone))
        };
        let text = |file: &str, value: &'a Reading<Text>| {
            value.as_ref().map_err(|unknown| format!("{} cannot be read ({unknown})", path(file)))
        };
        number("sm_sl", &attrs.sm_sl)?;
        if let Err(unknown) = &attrs.pkeys {
            return Err(format!("no {} ({unknown})", path("pkeys")));
        }
        let gid = |unknown: Unknown| format!("{} cannot be read ({unknown})", path("gids/0"));
        Ok(Self {
            number: port.number,
            state: code("state", &port.state.value)?,
            phys_state: code("phys_state", &port.phys_state.value)?,
            rate: rate(text("rate", &attrs.rate)?),
            base_lid: number("lid", &attrs.lid)?,
            lmc: number("lid_mask_count", &attrs.lmc)?,
            sm_lid: number("sm_lid", &attrs.sm_lid)?,
            cap_mask: number("cap_mask", &attrs.cap_mask)?,
            guid: low_half(&attrs.default_gid, 8).map_err(gid)?,
            link_layer: attrs.link_layer.as_ref().map_or("IB", |l| l.as_str()),
        })
    }

    fn print(&self, text: &mut String, heading: &str, indent: &str) {
        let word =
            |words: &[&'static str], code: u32| words.get(code as usize).copied().unwrap_or("???");
        line(text, format_args!("{heading}Port {}:", self.number));
        let mut field = |name: &str, value: &dyn std::fmt::Display| {
            line(text, format_args!("{indent}{name}: {value}"));
        };
        field("State", &word(&STATES, self.state));
        field("Physical state", &word(&PHYS_STATES, self.phys_state));
        field("Rate", &self.rate);
        field("Base lid", &self.base_lid);
        field("LMC", &self.lmc);
        field("SM lid", &self.sm_lid);
        field("Capability mask", &format_args!("{:#010x}", self.cap_mask));
        field("Port GUID", &format_args!("{:#018x}", self.guid));
        field("Link layer", &self.link_layer);
    }
}

/// The whole part of the rate; `2.5` for 1X SDR, and FDR10 by name.
fn rate(text: &str) -> String {
    let digits = text.trim_start();
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let whole: u32 = digits.get(..end).and_then(|d| d.parse().ok()).unwrap_or(0);
    let speed = text.split_once(')').map_or("", |(before, _)| before);
    let fdr10 = speed.len().checked_sub(5).and_then(|at| speed.get(at..));
    match whole {
        _ if fdr10.is_some_and(|s| s.eq_ignore_ascii_case("fdr10")) => format!("{whole} (FDR10)"),
        2 => "2.5".into(),
        _ => whole.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::testing::{World, absent, ib_device};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn device(i: u32) -> RdmaDevice {
        let mut device = ib_device(i);
        let attrs = Arc::make_mut(&mut device.attrs);
        attrs.fw_ver = Ok("28.43.2026".into());
        attrs.hca_type = Ok("MT4129".into());
        attrs.hw_rev = Ok("0".into());
        let port = Arc::make_mut(&mut device.ports[0].attrs);
        port.rate = Ok("400 Gb/sec (4X NDR)".into());
        (port.lid, port.sm_lid, port.sm_sl, port.lmc) = (Ok(50), Ok(1), Ok(0), Ok(0));
        port.cap_mask = Ok(0xa751_e848);
        port.pkeys = Ok(vec!["0xffff".into()]);
        device
    }

    fn told(devices: Vec<RdmaDevice>, options: &Options<'_>) -> Output {
        let mut world = World::new();
        for device in devices {
            world.device(device);
        }
        print(&world.at_ms(0), options)
    }

    fn stdout(devices: Vec<RdmaDevice>, options: &Options<'_>) -> String {
        let output = told(devices, options);
        assert_eq!(output.failures, [""; 0]);
        output.text
    }

    const WHOLE: &str = "CA 'mlx5_0'
\tCA type: MT4129
\tNumber of ports: 1
\tFirmware version: 28.43.2026
\tHardware version: 0
\tNode GUID: 0xa088c20300740000
\tSystem image GUID: 0xa088c20300740000
\tPort 1:
\t\tState: Active
\t\tPhysical state: LinkUp
\t\tRate: 400
\t\tBase lid: 50
\t\tLMC: 0
\t\tSM lid: 1
\t\tCapability mask: 0xa751e848
\t\tPort GUID: 0xa088c20300740000
\t\tLink layer: InfiniBand
";

    #[test]
    fn all_of_it_and_each_option() {
        let one = || vec![device(0)];
        let all = Options::default();
        assert_eq!(stdout(one(), &all), WHOLE);
        let head = WHOLE.split("\tPort 1").next().unwrap();
        assert_eq!(stdout(one(), &Options { short: true, ..all }), head);
        let port = Options { device: Some("mlx5_0"), port: Some(1), ..all };
        let alone = WHOLE.split_once("\tPort").unwrap().1.replace("\t\t", "");
        assert_eq!(stdout(one(), &port), format!("CA: 'mlx5_0'\nPort{alone}"));
        // With -s the port is not looked at, as in ibstat.
        assert_eq!(stdout(one(), &Options { short: true, ..port }), head);
        assert_eq!(stdout(one(), &Options { ports: true, ..all }), "0xa088c20300740000\n");
    }

    #[test]
    fn devices_stand_in_the_order_of_bytes_and_rnics_are_none() {
        let mut rnic = device(3);
        Arc::make_mut(&mut rnic.attrs).node_type = Ok(Enumerated { code: 4, word: "RNIC".into() });
        let mut efa = device(4);
        let unspecified = Enumerated { code: 7, word: "unspecified".into() };
        Arc::make_mut(&mut efa.attrs).node_type = Ok(unspecified);
        let devices = vec![device(2), device(10), device(1), rnic, efa];
        let list = Options { list: true, ..Options::default() };
        assert_eq!(stdout(devices.clone(), &list), "mlx5_1\nmlx5_10\nmlx5_2\n");
        let output = told(devices, &Options { device: Some("mlx5_4"), ..list });
        assert_eq!(output.text, "");
        assert!(output.failures[0].contains("unspecified"), "{:?}", output.failures);
    }

    #[test]
    fn p06_a_device_that_cannot_be_read_hides_no_other() {
        let mut bad = device(0);
        Arc::make_mut(&mut bad.ports[0].attrs).rate = absent();
        let output = told(vec![bad, device(1)], &Options::default());
        assert!(output.text.starts_with("CA 'mlx5_1'\n") && !output.text.contains("mlx5_0"));
        assert_eq!(output.failures, ["mlx5_0: ports/1/rate cannot be read (absent)"]);
    }

    #[test]
    fn p15_a_device_may_have_twelve_ports() {
        let mut many = device(0);
        let first = many.ports[0].clone();
        many.ports = (1..=12).map(|number| RdmaPort { number, ..first.clone() }).collect();
        let text = stdout(vec![many], &Options::default());
        assert!(text.contains("\tNumber of ports: 12\n") && text.contains("\tPort 12:\n"));
    }

    #[test]
    fn what_is_not_there_is_said() {
        let none = World::new().at_ms(0);
        assert_eq!(print(&none, &Options::default()), Output::default());
        let options = Options { device: Some("mlx5_7"), ..Options::default() };
        let output = told(vec![device(0)], &options);
        assert_eq!(output.failures, ["no RDMA device \"mlx5_7\"; there are: mlx5_0"]);
        let options = Options { device: Some("mlx5_0"), port: Some(2), ..Options::default() };
        let output = told(vec![device(0)], &options);
        assert_eq!(output.failures, ["mlx5_0: it has no port number 2; the last is 1"]);
    }

    #[test]
    fn rates_as_ibstat_prints_them() {
        for (text, printed) in [
            ("2.5 Gb/sec (1X SDR)", "2.5"),
            ("2.5 Gb/sec (1X)", "2.5"),
            ("40 Gb/sec (4X FDR10)", "40 (FDR10)"),
            ("40 Gb/sec (4X fdr10)", "40 (FDR10)"),
            ("56 Gb/sec (4X FDR)", "56"),
            ("2400 Gb/sec (12X XDR)", "2400"),
            ("garbage", "0"),
            ("", "0"),
        ] {
            assert_eq!(rate(text), printed, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String, state in 0u32..300, phys in 0u32..300) {
            let mut any = device(0);
            any.ports[0].state.value = Ok(Enumerated { code: state, word: Text::new(&text) });
            any.ports[0].phys_state.value = Ok(Enumerated { code: phys, word: Text::new(&text) });
            let attrs = Arc::make_mut(&mut any.ports[0].attrs);
            attrs.rate = Ok(Text::new(&text));
            attrs.default_gid = Ok(Text::new(&text));
            let attrs = Arc::make_mut(&mut any.attrs);
            (attrs.hca_type, attrs.fw_ver) = (Ok(Text::new(&text)), Ok(Text::new(&text)));
            let _ = told(vec![any], &Options::default());
        }
    }
}
